import { z } from "zod";
import { defineTeacherKind } from "./define.js";
import { modelTeacherKind } from "./model.js";
import { distributionOptions, promptOption } from "./signal-options.js";

/** The student as its own teacher: told more, averaged over its past, or without its adapter. */
export const selfTeacherKind = defineTeacherKind({
  type: "self",
  summary:
    "The student itself: with a prompt that tells it more, averaged over its past, or without its adapter.",
  canGive: modelTeacherKind.canGive,
  writesText: true,
  schema: z.strictObject({
    type: z.literal("self"),
    emaDecay: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe(
        "Uses the moving average of the weights with this decay; 1: as they were when training began. Default: as they are.",
      ),
    adapter: z
      .literal("none")
      .optional()
      .describe("Uses the student without the adapter that is trained: what it was before."),
    ...promptOption,
    ...distributionOptions,
  }),
});
