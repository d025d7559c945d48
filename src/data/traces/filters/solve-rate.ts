import { z } from "zod";
import { PupilError } from "../../../errors/index.js";
import { byProblem } from "../choose.js";
import { defineTraceStep } from "../trace.js";

const config = z.strictObject({
  of: z
    .enum(["these", "given"])
    .default("these")
    .describe(
      "Whose share: that of the traces themselves, or that of an earlier collection (`traces`), such as a student's attempts at the problems; problems without attempts are dropped.",
    ),
  minimum: z.number().min(0).max(1).default(0).describe("Least share of right traces."),
  maximum: z.number().min(0).max(1).default(1).describe("Greatest share of right traces."),
});

export const solveRateFilter = defineTraceStep({
  name: "solve-rate",
  kind: "filter",
  summary: "Keeps problems of which a share of the traces is right: hard ones that can be solved.",
  reference: "Beyond Scaling Law (DED): hard but solvable questions",
  config,
  needsFor: ({ of }) => (of === "given" ? ["given"] : []),
  apply(traces, { of, minimum, maximum }, { given }) {
    if (of === "given" && given === undefined) {
      throw new PupilError("The share of earlier traces is asked for, and none are given.", {
        field: "solve-rate: of",
        value: of,
        remedy: 'Name them: "traces": "<rows.jsonl of a collection of the same problems>".',
      });
    }
    return byProblem(traces)
      .filter((group) => {
        const [{ problem }] = group as [(typeof group)[number]];
        const judged = of === "given" ? (given?.(problem) ?? []) : group;
        const share = judged.filter(({ correct }) => correct).length / judged.length;
        return share >= minimum && share <= maximum;
      })
      .flat();
  },
});
