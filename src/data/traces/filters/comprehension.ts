import { z } from "zod";
import { byProblem, mean, splitAnswer } from "../choose.js";
import { studentLogProbs } from "../likelihoods.js";
import { defineTraceStep } from "../trace.js";

/**
 * By mean_t π_student(a_t | x, reasoning, a_<t) over the tokens of the right answer, where the
 * reasoning is the trace before its last occurrence. Traces in which it does not stand score 0.
 */
export const comprehensionFilter = defineTraceStep({
  name: "comprehension",
  kind: "filter",
  summary: "Keeps traces after whose reasoning the student finds the right answer probable.",
  reference: "AMPO: Adaptive Multi-Guidance Policy Optimization, reward_manager/prob.py",
  config: z.strictObject({
    minimum: z.number().min(0).max(1).default(0).describe("Least mean probability."),
    best: z.int().min(1).optional().describe("Traces of each problem that are kept."),
  }),
  needsFor: () => ["likelihood"],
  async apply(traces, { minimum, best }, context) {
    const asked = traces.flatMap((trace, i) => {
      const parts = splitAnswer(trace.completion, trace.problem.answer);
      if (parts === undefined) return [];
      return [{ i, prompt: trace.prompt + parts.reasoning, completion: parts.answer }];
    });
    const logProbs = await studentLogProbs(asked, context, "comprehension");
    const scores = traces.map(() => 0);
    for (const [k, { i }] of asked.entries()) {
      scores[i] = mean((logProbs[k] as readonly number[]).map(Math.exp));
    }
    const scored = traces.map((trace, i) => ({
      trace,
      problem: trace.problem,
      score: scores[i] as number,
    }));
    const kept = new Set(
      byProblem(scored.filter(({ score }) => score >= minimum)).flatMap((group) =>
        group
          .sort((a, b) => b.score - a.score)
          .slice(0, best)
          .map(({ trace }) => trace),
      ),
    );
    return traces.filter((trace) => kept.has(trace));
  },
});
