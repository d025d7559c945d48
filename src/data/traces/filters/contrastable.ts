import { z } from "zod";
import { byProblem } from "../choose.js";
import { defineTraceStep } from "../trace.js";

export const contrastableFilter = defineTraceStep({
  name: "contrastable",
  kind: "filter",
  summary: "Keeps all traces of problems that have both right and wrong ones.",
  reference: "Semantic Soft Bootstrapping; DPO on right and wrong trajectories",
  config: z.strictObject({
    right: z.int().min(1).default(1).describe("Right traces of a problem, at least."),
    wrong: z.int().min(1).default(1).describe("Wrong ones, at least."),
  }),
  apply: (traces, { right, wrong }) =>
    byProblem(traces)
      .filter((group) => {
        const count = group.filter(({ correct }) => correct).length;
        return count >= right && group.length - count >= wrong;
      })
      .flat(),
});
