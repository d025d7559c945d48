import { z } from "zod";
import { PupilError } from "../../../errors/index.js";
import { byProblem, mean } from "../choose.js";
import { studentLogProbs } from "../likelihoods.js";
import { defineTraceStep, type Trace, type TraceContext } from "../trace.js";

const config = z.strictObject({
  under: z
    .enum(["student", "writer"])
    .default("student")
    .describe("Whose likelihood: the student's, or that of the model which wrote the trace."),
  minimum: z.number().max(0).optional().describe("Least mean log-probability of a token."),
  maximum: z.number().max(0).optional().describe("Greatest mean log-probability of a token."),
  best: z
    .int()
    .min(1)
    .optional()
    .describe("Traces of each problem that are kept, of those within the two."),
  order: z
    .enum(["likeliest", "unlikeliest"])
    .default("likeliest")
    .describe("Which of them are the best."),
});

/** By (1/n) Σ_t log π(y_t | x, y_<t), end token left out. */
export const learnabilityFilter = defineTraceStep({
  name: "learnability",
  kind: "filter",
  summary: "Keeps traces by the mean log-probability of their tokens: within a band, or the best.",
  reference:
    "SCoTD (the likeliest N); Not All Correct Answers Are Equal (perplexity of the source)",
  config,
  needsFor: ({ under }) => (under === "student" ? ["likelihood"] : []),
  async apply(traces, { under, minimum, maximum, best, order }, context) {
    const scores = await scoresOf(traces, under, context);
    const scored = traces.map((trace, i) => ({
      trace,
      problem: trace.problem,
      score: scores[i] as number,
    }));
    const within = scored.filter(
      ({ score }) => score >= (minimum ?? -Infinity) && score <= (maximum ?? Infinity),
    );
    if (best === undefined) return within.map(({ trace }) => trace);
    const sign = order === "likeliest" ? -1 : 1;
    const kept = new Set(
      byProblem(within).flatMap((group) =>
        group
          .sort((a, b) => sign * (a.score - b.score))
          .slice(0, best)
          .map(({ trace }) => trace),
      ),
    );
    return traces.filter((trace) => kept.has(trace));
  },
});

async function scoresOf(
  traces: readonly Trace[],
  under: "student" | "writer",
  context: TraceContext,
): Promise<number[]> {
  if (under === "student") {
    return (await studentLogProbs(traces, context, "learnability")).map(meanOf);
  }
  return traces.map(({ tokenLogProbs, source, problem }) => {
    if (tokenLogProbs !== undefined) return meanOf(tokenLogProbs);
    throw new PupilError(`has a trace by "${source}", which has no likelihood under its writer.`, {
      field: problem.id,
      remedy: 'Use under: "student", or traces that one model wrote as they are.',
    });
  });
}

/** Nothing is the least likely. */
function meanOf(logProbs: readonly number[]): number {
  return logProbs.length === 0 ? -Infinity : mean(logProbs);
}
