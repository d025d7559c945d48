import { z } from "zod";
import { fillTemplate, firstError, judgedSteps, type Problem } from "../../data/index.js";
import { samplesField } from "./fields.js";
import { addCosts, defineSampler, noCost, type SamplerContext } from "./sampler.js";
import {
  appendText,
  closeRow,
  cutBack,
  type OpenRow,
  openRows,
  reopen,
  textOf,
} from "./writing/open-row.js";
import { textCost, writeOn } from "./writing/write-on.js";

const config = z.strictObject({
  by: z.enum(["oracle", "teacher"]).default("oracle").describe("Who goes on after the feedback."),
  samplesPerProblem: samplesField(8),
  share: z
    .number()
    .min(0)
    .max(1)
    .default(0.25)
    .describe(
      "γ: share of a problem's completions, rounded up, that are gone on with, as far as so many failed. [REC] The paper's value was not verified.",
    ),
  feedback: z
    .string()
    .default("\nwait\n")
    .describe(
      "Put between the failed attempt and what follows; {error} stands for its first wrong step. [REC] The paper's templates were not verified.",
    ),
  after: z
    .enum(["reply", "error"])
    .default("reply")
    .describe(
      "Where the feedback begins: behind the whole attempt, or behind its first wrong step.",
    ),
});

/**
 * The student attempts; some of its failed attempts are gone on with by feedback and a right
 * solution from the last right step on. What was added is not the student's own (`own` is 0).
 */
export const guidedContinueSampler = defineSampler({
  name: "guided-continue",
  summary: "Feedback and a corrected solution go behind some of the student's failed attempts.",
  reference: "ThinkTuning",
  needs: ["student", "checkSteps"],
  needsFor: ({ by }) => [by === "oracle" ? "continueFrom" : "teacher"],
  config,
  async sample(problems, { by, samplesPerProblem, share, feedback, after }, context) {
    const opened = openRows(context, problems, samplesPerProblem, () => ({ source: "student" }));
    const written = await writeOn(problems, opened, { by: "student", purpose: "write" }, context);
    const rows = [...written.rows];
    const most = Math.ceil(share * samplesPerProblem);
    const guided = problems.flatMap((problem, index) => {
      const failed = rows.flatMap((row, i) =>
        row.problem === index && !context.problems.verify(problem, textOf(context, row)).correct
          ? [i]
          : [],
      );
      return failed.slice(0, most);
    });
    const told = guided.map((i) =>
      react(rows[i] as OpenRow, problems, { feedback, after, solves: by === "oracle" }, context),
    );
    let cost = addCosts(
      written.cost,
      ...told.map((row, k) => textCost(reopen(context, rows[guided[k] as number] as OpenRow), row)),
    );
    const continued =
      by === "oracle"
        ? { rows: told, cost: noCost }
        : await writeOn(problems, told, { by, purpose: "guide" }, context);
    cost = addCosts(cost, continued.cost);
    for (const [k, i] of guided.entries()) {
      rows[i] = { ...(continued.rows[k] as OpenRow), source: `student, ${by}` };
    }
    const guidedRate = guided.length / Math.max(1, rows.length);
    return { rows: rows.map(closeRow), cost, measures: { guidedRate } };
  },
});

function react(
  row: OpenRow,
  problems: readonly Problem[],
  options: {
    readonly feedback: string;
    readonly after: "reply" | "error";
    readonly solves: boolean;
  },
  context: SamplerContext,
): OpenRow {
  const { feedback, after, solves } = options;
  const problem = problems[row.problem] as Problem;
  const text = textOf(context, row);
  const steps = judgedSteps(context.problems, problem, text) ?? [];
  const error = firstError(steps);
  const isCut = after === "error" && error !== undefined;
  const { row: kept, missing } = isCut
    ? cutBack(context, row, error.end)
    : { row: reopen(context, row), missing: "" };
  const said = fillTemplate(feedback, { error: error?.text ?? "" }, "sampler.feedback");
  if (!solves) return appendText(context, kept, missing + said);
  const { continueFrom } = context.problems;
  if (continueFrom === undefined) throw new Error(`${context.problems.name} was not checked.`);
  // Behind the last right step may be separators without a step, which no solution has.
  const right = text.slice(0, error?.start ?? steps.at(-1)?.end ?? 0);
  const random = context.random.stream("guide", row.problem, row.sample);
  const rest = continueFrom(problem, right, {}, random);
  // What separates steps may stand at the end of the feedback already.
  const joined = /\s$/.test(said) ? rest.trimStart() : rest;
  return appendText(context, kept, missing + said + joined, { finished: true });
}
