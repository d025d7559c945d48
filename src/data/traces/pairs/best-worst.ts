import { z } from "zod";
import { byProblem, mean } from "../choose.js";
import { studentLogProbs } from "../likelihoods.js";
import { definePairMaker, type Trace } from "../trace.js";
import { pairOf } from "./contrastable.js";

/** The best trace of each problem with its worst: right ones before wrong ones, then by a score. */
export const bestWorstPairs = definePairMaker({
  name: "best-worst",
  summary: "The best trace of each problem with its worst.",
  config: z.strictObject({
    by: z
      .enum(["shortest", "longest", "likeliest"])
      .default("shortest")
      .describe(
        "Which of several right traces is the best, and of several wrong ones the better: by tokens, or by their mean log-probability under the student.",
      ),
    onlyContrast: z
      .boolean()
      .default(true)
      .describe("Leaves out problems of which all traces are right, or all wrong."),
  }),
  needsFor: ({ by }) => (by === "likeliest" ? ["likelihood"] : []),
  async make(traces, { by, onlyContrast }, context) {
    const likelihoods =
      by === "likeliest" ? await studentLogProbs(traces, context, "best-worst") : undefined;
    const score = new Map(
      traces.map((trace, i) => {
        const length = by === "longest" ? trace.tokens : -trace.tokens;
        return [trace, likelihoods === undefined ? length : mean(likelihoods[i] ?? [])];
      }),
    );
    const isBetter = (a: Trace, b: Trace) =>
      Number(b.correct) - Number(a.correct) || (score.get(b) ?? 0) - (score.get(a) ?? 0);
    return byProblem(traces).flatMap((group) => {
      const ranked = [...group].sort(isBetter);
      const [best, worst] = [ranked[0], ranked.at(-1)];
      if (best === undefined || worst === undefined || best === worst) return [];
      if (best.prompt !== worst.prompt || best.completion === worst.completion) return [];
      if (onlyContrast && best.correct === worst.correct) return [];
      return [pairOf(best, worst)];
    });
  },
});
