import { z } from "zod";
import type { Problem } from "../../data/index.js";
import { stylesField } from "./fields.js";
import { addCosts, defineSampler, noCost, type SamplerContext } from "./sampler.js";
import { solutionOf, type Solver, solversOf } from "./solving.js";
import { appendText, closeRow, type OpenRow, openRow, textOf } from "./writing/open-row.js";
import { textCost, type Writer, writeOn } from "./writing/write-on.js";

const config = z.strictObject({
  by: z.enum(["student", "teacher", "oracle"]).default("teacher").describe("Who writes."),
  distinct: z.int().min(1).default(4).describe("Different completions of each problem."),
  attempts: z
    .int()
    .min(1)
    .default(4)
    .describe("Completions that are tried for each that is wanted, at most."),
  samplingTemperature: z
    .number()
    .positive()
    .optional()
    .describe("In place of the temperature of sampling."),
  styles: stylesField,
});

/**
 * Different completions of each problem: where two are the same, another is tried. What was written
 * in vain is paid for; `notReached` says how many completions were not found.
 */
export const diverseSampler = defineSampler({
  name: "diverse",
  summary: "So many different completions of each problem; equal ones are tried again.",
  reference: "Fine-tune-CoT (Ho et al. 2023), SCoTD (Li et al. 2023)",
  needs: [],
  needsFor: ({ by }) => [by === "oracle" ? "solve" : by],
  config,
  async sample(problems, { by, distinct, attempts, samplingTemperature, styles }, context) {
    const solvers = solversOf(styles);
    const policy = { ...context.policy, ...(samplingTemperature && { samplingTemperature }) };
    const found: OpenRow[][] = problems.map(() => []);
    const tried = problems.map(() => 0);
    let cost = noCost;
    for (;;) {
      const places = found.flatMap((kept, problem) => {
        const wanted = distinct - kept.length;
        const left = distinct * attempts - (tried[problem] as number);
        const first = tried[problem] as number;
        const count = Math.min(wanted, left);
        tried[problem] = first + count;
        return Array.from({ length: count }, (_, i) => ({ problem, sample: first + i }));
      });
      if (places.length === 0) break;
      const opened = places.map((place) =>
        openRow(context, problems[place.problem] as Problem, place, { source: by }),
      );
      const written =
        by === "oracle"
          ? solveAll(problems, opened, solvers, context)
          : await writeAll(problems, opened, by, policy, context);
      cost = addCosts(cost, written.cost);
      for (const row of written.rows) {
        const kept = found[row.problem] as OpenRow[];
        const text = textOf(context, row);
        if (!kept.some((other) => textOf(context, other) === text)) kept.push(row);
      }
    }
    const notReached = found.reduce((sum, kept) => sum + distinct - kept.length, 0);
    const shortProblems = found.filter((kept) => kept.length < distinct).length;
    return {
      rows: found.flat().map(closeRow),
      cost,
      measures: { notReached, shortProblems },
    };
  },
});

function writeAll(
  problems: readonly Problem[],
  rows: readonly OpenRow[],
  by: Writer,
  policy: SamplerContext["policy"],
  context: SamplerContext,
) {
  return writeOn(problems, rows, { by, purpose: "write", policy }, context);
}

function solveAll(
  problems: readonly Problem[],
  opened: readonly OpenRow[],
  solvers: readonly Solver[],
  context: SamplerContext,
) {
  const rows = opened.map((row) => {
    const solver = solvers[row.sample % solvers.length] as Solver;
    const text = solutionOf(solver, problems[row.problem] as Problem, row, context);
    return appendText(context, { ...row, source: solver.source }, text, { finished: true });
  });
  const cost = addCosts(...rows.map((row, i) => textCost(opened[i] as OpenRow, row)));
  return { rows, cost };
}
