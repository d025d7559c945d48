import { z } from "zod";
import type { Problem } from "../../data/index.js";
import { stylesField, samplesField } from "./fields.js";
import { addCosts, defineSampler } from "./sampler.js";
import { solutionOf, type Solver, solversOf } from "./solving.js";
import { appendText, closeRow, openRows } from "./writing/open-row.js";
import { textCost } from "./writing/write-on.js";

const config = z.strictObject({
  styles: stylesField,
  use: z
    .enum(["each", "turn"])
    .default("each")
    .describe(
      "With several styles: samplesPerProblem solutions in each of them, or in all, the styles taking turns from problem to problem and solution to solution.",
    ),
  samplesPerProblem: samplesField(1),
  errorRate: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("Share of wrong solutions. Default: the task's."),
});

/** Solutions by rule. Two of one problem differ only in what the task leaves to chance. */
export const oracleSampler = defineSampler({
  name: "oracle",
  summary:
    "The task itself solves the problems, in one style or several, rightly or with mistakes.",
  needs: ["solve"],
  config,
  sample(problems, { styles, use, samplesPerProblem, errorRate }, context) {
    const solvers = solversOf(styles, errorRate);
    const count = use === "each" ? samplesPerProblem * solvers.length : samplesPerProblem;
    const solverOf = (problem: number, sample: number) =>
      solvers[(use === "each" ? sample : problem + sample) % solvers.length] as Solver;
    const opened = openRows(context, problems, count, (_, { problem, sample }) => ({
      source: solverOf(problem, sample).source,
    }));
    const rows = opened.map((row) => {
      const { problem, sample } = row;
      const asked = problems[problem] as Problem;
      const text = solutionOf(solverOf(problem, sample), asked, row, context);
      return appendText(context, row, text, { finished: true });
    });
    const cost = addCosts(...rows.map((row, i) => textCost(opened[i] as typeof row, row)));
    return Promise.resolve({ rows: rows.map(closeRow), cost });
  },
});
