import { z } from "zod";
import { byProblem } from "../choose.js";
import { defineTraceStep } from "../trace.js";

export const solveRateFilter = defineTraceStep({
  name: "solve-rate",
  kind: "filter",
  summary: "Keeps problems of which a share of the traces is right: hard ones that can be solved.",
  reference: "Beyond Scaling Law (DED): hard but solvable questions",
  config: z.strictObject({
    minimum: z.number().min(0).max(1).default(0).describe("Least share of right traces."),
    maximum: z.number().min(0).max(1).default(1).describe("Greatest share of right traces."),
  }),
  apply: (traces, { minimum, maximum }) =>
    byProblem(traces)
      .filter((group) => {
        const share = group.filter(({ correct }) => correct).length / group.length;
        return share >= minimum && share <= maximum;
      })
      .flat(),
});
