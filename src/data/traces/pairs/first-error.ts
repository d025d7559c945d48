import { z } from "zod";
import { firstError, firstStepLength, judgedSteps } from "../steps.js";
import { definePairMaker, type Trace, type TraceContext, type TracePair } from "../trace.js";

export const scopeField = z
  .enum(["step", "rest"])
  .default("step")
  .describe("What is compared: one step, or all that follows.");

/** A right step against a wrong one, after the right steps that both share: those are in the prompt. */
export const firstErrorPairs = definePairMaker({
  name: "first-error",
  summary:
    "The first wrong step of a trace against the right one, with the right steps before as prompt.",
  reference: "SuperCorrect, cross-model DPO (prefix-aware)",
  needsFor: () => ["checkSteps", "continueFrom"],
  config: z.strictObject({ scope: scopeField }),
  make: (traces, { scope }, context) =>
    traces.flatMap((trace, i): TracePair[] => {
      const found = correctionOf(trace, i, scope, context);
      if (found === undefined) return [];
      const { problem, prompt, completion } = trace;
      const { error, right, isLast } = found;
      const end = scope === "step" ? error.next : completion.length;
      const rejected = completion.slice(error.start, end);
      if (rejected === right) return [];
      return [
        {
          ...{
            problem,
            prompt: prompt + completion.slice(0, error.start),
            chosen: right,
            rejected,
          },
          ...(isLast ? {} : { chosenFinished: false }),
          ...(end === completion.length && trace.finished ? {} : { rejectedFinished: false }),
        },
      ];
    }),
});

/** The first wrong step of a trace, and what should stand in its place. */
export function correctionOf(
  { problem, completion }: Trace,
  index: number,
  scope: "step" | "rest",
  { problems, random }: TraceContext,
) {
  const error = firstError(judgedSteps(problems, problem, completion) ?? []);
  if (error === undefined || problems.continueFrom === undefined) return undefined;
  const prefix = completion.slice(0, error.start);
  const rest = problems.continueFrom(problem, prefix, {}, random.stream("correction", index));
  const length = scope === "rest" ? rest.length : firstStepLength(problems, problem, prefix, rest);
  return { error, right: rest.slice(0, length), isLast: length === rest.length };
}
