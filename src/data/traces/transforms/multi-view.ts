import { z } from "zod";
import { byProblem } from "../choose.js";
import { answerAlone, rewritten } from "../rewrite.js";
import { defineTraceStep } from "../trace.js";

const view = z.strictObject({
  prefix: z.string().default("").describe("The view's mark, put before the prompt."),
  completion: z
    .enum(["trace", "answer"])
    .default("trace")
    .describe("What is learned in it: every trace, or the answer alone, once per problem."),
  sources: z
    .array(z.string())
    .optional()
    .describe("For traces: who wrote those of this view. Default: all."),
  repeat: z
    .int()
    .min(1)
    .default(1)
    .describe("Times that each row is written: the weight of the view, as far as it is whole."),
});

export const multiViewTransform = defineTraceStep({
  name: "multi-view",
  kind: "transform",
  summary: "Asks each problem in several views, each with a mark of its own before the prompt.",
  reference: "TinyLLM: Learning a Small Student from Multiple Large Language Models",
  config: z.strictObject({
    views: z.array(view).min(1).describe("The views; a row for each of them and each trace."),
  }),
  apply: (traces, { views }, context) =>
    byProblem(traces).flatMap((group) =>
      views.flatMap(({ prefix, completion, sources, repeat }) => {
        const [first] = group;
        const rows =
          completion === "trace"
            ? group.filter(({ source }) => sources === undefined || sources.includes(source))
            : first === undefined
              ? []
              : [
                  {
                    ...rewritten(first, answerAlone(first.problem, context), context),
                    source: "answer",
                  },
                ];
        return rows.flatMap((row) =>
          Array.from({ length: repeat }, () => ({ ...row, prompt: prefix + row.prompt })),
        );
      }),
    ),
});
