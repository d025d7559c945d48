import { z } from "zod";
import { byProblem } from "../choose.js";
import { definePairMaker, type Trace, type TracePair } from "../trace.js";

/** Any right trace with any wrong one of the same problem and prompt; others make no pair. */
export const contrastablePairs = definePairMaker({
  name: "contrastable",
  summary: "A right and a wrong trace of one problem, so many pairs of each problem.",
  reference: "REDI; DPO on right and wrong trajectories of teacher and student",
  config: z.strictObject({
    perProblem: z
      .int()
      .min(1)
      .default(1)
      .describe("Pairs of each problem, at most; chosen at random among all there are."),
  }),
  make: (traces, { perProblem }, { random }) =>
    byProblem(traces).flatMap((group) => {
      const all = group.flatMap((chosen) =>
        group.flatMap((rejected) => {
          const isPair = chosen.correct && !rejected.correct && chosen.prompt === rejected.prompt;
          return isPair ? [pairOf(chosen, rejected)] : [];
        }),
      );
      const order = random.stream("pairs", group[0]?.problem.id ?? "").permutation(all.length);
      return Array.from(order.slice(0, perProblem), (i) => all[i] as TracePair);
    }),
});

/** Two whole traces as a pair. */
export function pairOf(chosen: Trace, rejected: Trace): TracePair {
  const { problem, prompt } = chosen;
  return {
    ...{ problem, prompt, chosen: chosen.completion, rejected: rejected.completion },
    ...(chosen.finished ? {} : { chosenFinished: false }),
    ...(rejected.finished ? {} : { rejectedFinished: false }),
  };
}
