import { z } from "zod";
import { routeRuleSchema } from "../mixture/index.js";
import { tokenSignals } from "../signals.js";
import { defineTeacherKind } from "./define.js";
import { distributionOptions } from "./signal-options.js";

const memberFields = {
  weight: z
    .number()
    .positive()
    .optional()
    .describe("In mode probabilities: its share is its weight by the sum of all. Default: 1."),
  when: routeRuleSchema
    .optional()
    .describe(
      "In mode route: the rows that it takes, unless a teacher before it does. Default: all.",
    ),
};
type MemberFields = z.output<z.ZodObject<typeof memberFields>>;

/** Several teachers; the kinds that can be among them are given by their schemas. */
export function mixtureTeacherKindOf<S extends readonly z.ZodObject[]>(schemas: S) {
  const members = schemas.map((schema) => schema.safeExtend(memberFields));
  // The union of the extended schemas has the type of the union, extended.
  const member = z.discriminatedUnion("type", members as never) as unknown as z.ZodType<
    z.output<S[number]> & MemberFields,
    z.input<S[number]> & MemberFields
  >;
  return defineTeacherKind({
    type: "mixture",
    summary: "Several teachers: their distributions mixed, or every row scored by one of them.",
    canGive: tokenSignals,
    writesText: true,
    schema: z
      .strictObject({
        type: z.literal("mixture"),
        mode: z
          .enum(["probabilities", "route"])
          .default("probabilities")
          .describe(
            "probabilities: the weighted mean of their next-token distributions. route: one teacher per row, by `when`.",
          ),
        teachers: z
          .array(member)
          .min(1)
          .describe("Teachers with their options, and `weight` or `when` beside them."),
        ...distributionOptions,
      })
      .superRefine(({ mode, teachers, topK, samples }, context) => {
        const refuse = (path: (string | number)[], message: string) => {
          context.addIssue({ code: "custom", path, message });
        };
        if (mode === "probabilities") {
          for (const [i, { when }] of teachers.entries()) {
            if (when !== undefined) {
              refuse(["teachers", i, "when"], 'has no effect: set mode to "route"');
            }
          }
          return;
        }
        if (topK !== undefined || samples !== undefined) {
          refuse([topK === undefined ? "samples" : "topK"], "belongs to each of the teachers");
        }
        for (const [i, { weight, when }] of teachers.entries()) {
          if (weight !== undefined) {
            refuse(["teachers", i, "weight"], 'has no effect: set mode to "probabilities"');
          }
          if (when === undefined && i + 1 < teachers.length) {
            refuse(
              ["teachers", i],
              "takes every row, so no teacher after it gets any: give it a `when`",
            );
          }
        }
      }),
  });
}
