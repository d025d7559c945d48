import { z } from "zod";
import { beforeAnswer, givesAway, maskAnswer } from "../given-away.js";
import { rewritten } from "../rewrite.js";
import { defineTraceStep, type Trace } from "../trace.js";

/** A trace that is nothing but its answer has no explanation and is left out. */
export const explanationTransform = defineTraceStep({
  name: "explanation",
  kind: "transform",
  summary: "Takes the final answer off traces, and sees to those that give it away before.",
  reference: "Reinforcement Learning Teachers of Test Time Scaling",
  config: z.strictObject({
    separator: z
      .string()
      .default("")
      .describe("What stands between explanation and answer; it is taken off with the answer."),
    leaks: z
      .enum(["drop", "mask", "keep"])
      .default("drop")
      .describe(
        "What becomes of explanations in which the right answer stands by itself: left out, kept with a mask in its place, or kept as they are.",
      ),
    mask: z.string().default("_").describe("What stands in place of the answer then."),
  }),
  apply: (traces, { separator, leaks, mask }, context) =>
    traces.flatMap((trace): Trace[] => {
      const { answer } = trace.problem;
      const text = beforeAnswer(trace.completion, answer, separator);
      const isLeak = givesAway(text, answer);
      if (text.trim() === "" || (isLeak && leaks === "drop")) return [];
      const shown = isLeak && leaks === "mask" ? maskAnswer(text, answer, mask) : text;
      return [{ ...rewritten(trace, shown, context), finished: trace.finished }];
    }),
});
