import { z } from "zod";
import { firstError, firstStepLength, judgedSteps, type Problem } from "../../data/index.js";
import { samplesField } from "./fields.js";
import {
  addCosts,
  defineSampler,
  noCost,
  type SamplerContext,
  type SamplingCost,
} from "./sampler.js";
import {
  appendText,
  closeRow,
  cutBack,
  type OpenRow,
  openRows,
  textOf,
} from "./writing/open-row.js";
import { textCost, writeOn } from "./writing/write-on.js";

const config = z.strictObject({
  by: z
    .enum(["oracle", "teacher"])
    .default("oracle")
    .describe("Who takes over: the task itself, or a teacher model."),
  scope: z
    .enum(["step", "rest"])
    .default("rest")
    .describe("What is written in its place: the wrong step alone, or all that follows too."),
  corrections: z
    .int()
    .min(1)
    .default(5)
    .describe("For scope step: times that a completion is corrected, at most."),
  samplesPerProblem: samplesField(1),
});

/**
 * The student writes until its first wrong step, which is taken out; whoever takes over goes on from
 * the last right one. With scope step the student then continues, and may be corrected again. A
 * completion without a wrong step that is not right all the same is gone on with at its end.
 *
 * Only the correction is paid for of a task; a teacher model pays for all that it wrote.
 */
export const takeoverSampler = defineSampler({
  name: "takeover",
  summary: "The student writes; at its first wrong step the task or a teacher goes on.",
  reference: "SCoRe (From Correction to Mastery), SuperCorrect",
  needs: ["student", "checkSteps"],
  needsFor: ({ by }) => [by === "oracle" ? "continueFrom" : "teacher"],
  config,
  async sample(problems, { by, scope, corrections, samplesPerProblem }, context) {
    const opened = openRows(context, problems, samplesPerProblem, () => ({ source: "student" }));
    const written = await writeOn(problems, opened, studentTurn(0, context), context);
    const rows = [...written.rows];
    const corrected = rows.map(() => 0);
    let cost = written.cost;
    const rounds = scope === "rest" ? 1 : corrections;
    for (let round = 1; round <= rounds; round++) {
      const failed = rows.flatMap((row, i) => (isRight(row, problems, context) ? [] : [i]));
      if (failed.length === 0) break;
      const kept = failed.map((i) => keepRight(rows[i] as OpenRow, problems, context));
      const taken = await takeOver(problems, kept, { by, scope, round }, context);
      cost = addCosts(cost, taken.cost);
      const after =
        scope === "rest"
          ? { rows: taken.rows, cost: noCost }
          : await writeOn(problems, taken.rows, studentTurn(round, context), context);
      cost = addCosts(cost, after.cost);
      for (const [k, i] of failed.entries()) {
        rows[i] = { ...(after.rows[k] as OpenRow), source: `student, ${by}` };
        corrected[i] = (corrected[i] as number) + 1;
      }
    }
    const count = Math.max(1, rows.length);
    return {
      rows: rows.map(closeRow),
      cost,
      measures: {
        takenOverRate: corrected.filter((times) => times > 0).length / count,
        correctionsPerRow: corrected.reduce((sum, times) => sum + times, 0) / count,
      },
    };
  },
});

/** Where the world answers, it answers the student too. */
function studentTurn(round: number, { problems }: SamplerContext) {
  const tools = problems.respond !== undefined;
  return { by: "student", purpose: `turn ${round}`, tools } as const;
}

function problemOf({ problem }: OpenRow, problems: readonly Problem[]): Problem {
  return problems[problem] as Problem;
}

function isRight(row: OpenRow, problems: readonly Problem[], context: SamplerContext): boolean {
  const problem = problemOf(row, problems);
  const text = textOf(context, row);
  const steps = judgedSteps(context.problems, problem, text) ?? [];
  return (
    row.finished &&
    firstError(steps) === undefined &&
    context.problems.verify(problem, text).correct
  );
}

interface KeptRow {
  readonly row: OpenRow;
  /** Characters before the wrong step that no whole token of the row ends with. */
  readonly missing: string;
}

function keepRight(row: OpenRow, problems: readonly Problem[], context: SamplerContext): KeptRow {
  const text = textOf(context, row);
  const steps = judgedSteps(context.problems, problemOf(row, problems), text) ?? [];
  // Behind the last right step may be separators without a step, which no solution has.
  return cutBack(context, row, firstError(steps)?.start ?? steps.at(-1)?.end ?? 0);
}

interface Turn {
  readonly by: "oracle" | "teacher";
  readonly scope: "step" | "rest";
  readonly round: number;
}

async function takeOver(
  problems: readonly Problem[],
  kept: readonly KeptRow[],
  { by, scope, round }: Turn,
  context: SamplerContext,
): Promise<{ rows: OpenRow[]; cost: SamplingCost }> {
  if (by === "teacher") {
    const begun = kept.map(({ row, missing }) =>
      missing === "" ? row : appendText(context, row, missing),
    );
    const options = {
      by,
      purpose: `takeover ${round}`,
      tools: context.problems.respond !== undefined,
    };
    const { rows, cost } = await writeOn(problems, begun, options, context);
    if (scope === "rest") return { rows: [...rows], cost };
    const steps = rows.map((row, i) => {
      const prefix = textOf(context, begun[i] as OpenRow);
      const whole = textOf(context, row);
      const rest = whole.slice(prefix.length);
      const length = firstStepLength(context.problems, problemOf(row, problems), prefix, rest);
      if (length >= rest.length) return row;
      return cutBack(context, row, prefix.length + length).row;
    });
    return { rows: steps, cost };
  }
  let cost = noCost;
  const rows = kept.map(({ row, missing }) => {
    const problem = problemOf(row, problems);
    const prefix = textOf(context, row) + missing;
    const rest = continuation(problem, prefix, row, round, context);
    const length =
      scope === "rest" ? rest.length : firstStepLength(context.problems, problem, prefix, rest);
    const added = missing + rest.slice(0, length);
    const after = appendText(context, row, added, { finished: length === rest.length });
    cost = addCosts(cost, textCost(row, after));
    return after;
  });
  return { rows, cost };
}

function continuation(
  problem: Problem,
  prefix: string,
  { problem: index, sample }: OpenRow,
  round: number,
  { problems, random }: SamplerContext,
): string {
  const { continueFrom } = problems;
  if (continueFrom === undefined) throw new Error(`${problems.name} was not checked.`);
  return continueFrom(problem, prefix, {}, random.stream("continue", index, sample, round));
}
