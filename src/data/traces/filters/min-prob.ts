import { z } from "zod";
import { studentLogProbs } from "../likelihoods.js";
import { defineTraceStep } from "../trace.js";

export const minProbFilter = defineTraceStep({
  name: "min-prob",
  kind: "filter",
  summary: "Keeps traces without tokens that the student finds improbable.",
  reference: "In Their Own Words: reverse speculative decoding",
  config: z.strictObject({
    threshold: z
      .number()
      .gt(0)
      .max(1)
      .default(0.01)
      .describe("τ: a token is improbable below this probability."),
    share: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe("Share of its tokens that may be improbable."),
  }),
  needsFor: () => ["likelihood"],
  async apply(traces, { threshold, share }, context) {
    const logProbs = await studentLogProbs(traces, context, "min-prob");
    return traces.filter((_, i) => {
      const scores = logProbs[i] as readonly number[];
      const improbable = scores.filter((logProb) => Math.exp(logProb) < threshold).length;
      return improbable <= share * scores.length;
    });
  },
});
