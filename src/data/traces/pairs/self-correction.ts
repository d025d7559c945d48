import { z } from "zod";
import { firstStepLength } from "../steps.js";
import { definePairMaker, type TracePair } from "../trace.js";
import { correctionOf, scopeField } from "./first-error.js";

/**
 * After the wrong step itself: chosen is the correction, rejected what the trace goes on with, as much of
 * it as `scope` says; a trace that ends there repeats its mistake.
 */
export const selfCorrectionPairs = definePairMaker({
  name: "self-correction",
  summary: "Behind a wrong step: its correction against going on as the trace does.",
  reference: "SuperCorrect, cross-model DPO on corrections",
  needsFor: () => ["checkSteps", "continueFrom"],
  config: z.strictObject({
    scope: scopeField,
    mark: z
      .string()
      .default("\nwait\n")
      .describe("Put behind the wrong step; belongs to the prompt. [REC]"),
  }),
  make: (traces, { scope, mark }, context) =>
    traces.flatMap((trace, i): TracePair[] => {
      const found = correctionOf(trace, i, scope, context);
      if (found === undefined) return [];
      const { problem, prompt, completion } = trace;
      const { error, right, isLast } = found;
      const own = completion.slice(error.next);
      const before = completion.slice(0, error.next);
      const length =
        scope === "rest" ? own.length : firstStepLength(context.problems, problem, before, own);
      const isWhole = length === own.length;
      const rejected = own === "" ? error.text : own.slice(0, length);
      const chosen = /\s$/.test(mark) ? right.trimStart() : right;
      if (chosen === rejected) return [];
      return [
        {
          ...{ problem, prompt: prompt + completion.slice(0, error.end) + mark, chosen, rejected },
          ...(isLast ? {} : { chosenFinished: false }),
          ...(isWhole && trace.finished ? {} : { rejectedFinished: false }),
        },
      ];
    }),
});
