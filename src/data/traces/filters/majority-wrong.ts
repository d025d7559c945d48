import { z } from "zod";
import { byProblem, majorityWrong } from "../choose.js";
import { defineTraceStep } from "../trace.js";

export const majorityWrongFilter = defineTraceStep({
  name: "majority-wrong",
  kind: "filter",
  summary:
    "Keeps of each problem the first right trace and one with the commonest wrong answer, or any wrong one where none is commonest.",
  reference: "Semantic Soft Bootstrapping, logit_gen.py",
  config: z.strictObject({}),
  apply: (traces, _config, { random }) =>
    byProblem(traces).flatMap((group) => {
      const right = group.find(({ correct }) => correct);
      const id = group[0]?.problem.id ?? "";
      const wrong = majorityWrong(group, random.stream("majority-wrong", id));
      return right === undefined || wrong === undefined ? [] : [right, wrong];
    }),
});
