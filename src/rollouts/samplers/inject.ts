import { z } from "zod";
import { drawSome, type Problem, splitAnswer } from "../../data/index.js";
import { scoreCompletions } from "../score-completions.js";
import { samplesField, stylesField } from "./fields.js";
import { givenTraces } from "./given.js";
import { addCosts, defineSampler, noCost, type SamplerContext } from "./sampler.js";
import { solutionOf, solversOf } from "./solving.js";
import {
  appendText,
  closeRow,
  idsOf,
  type OpenRow,
  openRow,
  openRows,
  textOf,
} from "./writing/open-row.js";
import { modelOf, textCost, writeOn } from "./writing/write-on.js";

const config = z.strictObject({
  samplesPerProblem: samplesField(8),
  from: z
    .enum(["oracle", "teacher", "given"])
    .default("oracle")
    .describe("Who writes what is put in: the task, a teacher model, or traces of before."),
  styles: stylesField,
  traces: z
    .int()
    .min(1)
    .default(4)
    .describe("Traces of a problem to choose from; of the task, taking turns in its styles."),
  most: z.int().min(1).default(2).describe("k: failed completions that are replaced, at most."),
  when: z
    .enum(["none-right", "any-wrong"])
    .default("none-right")
    .describe("For which problems: those without a right completion, or all with a wrong one."),
  choose: z
    .enum(["comprehension", "random"])
    .default("comprehension")
    .describe(
      "Which of the right traces: those after whose reasoning the student finds the right answer most probable (the mean probability of its tokens), or any.",
    ),
});

/**
 * Failed completions of the student, chosen at random, are replaced by whole right traces of a
 * teacher. `injectionRate` is the share of all rows, `injectedProblems` that of problems.
 *
 * A trace in which the right answer does not stand as text is chosen last.
 */
export const injectSampler = defineSampler({
  name: "inject",
  summary: "Where the student fails altogether, a teacher's right traces replace some failures.",
  reference: "AMPO: Adaptive Multi-Guidance Policy Optimization, mix_core_alg.py",
  needs: ["student"],
  needsFor: ({ from }) => (from === "oracle" ? ["solve"] : from === "teacher" ? ["teacher"] : []),
  config,
  async sample(problems, settings, context) {
    const { samplesPerProblem, most, when, choose } = settings;
    const opened = openRows(context, problems, samplesPerProblem, () => ({ source: "student" }));
    const written = await writeOn(problems, opened, { by: "student", purpose: "write" }, context);
    const rows = [...written.rows];
    const isRight = (row: OpenRow) =>
      context.problems.verify(problems[row.problem] as Problem, textOf(context, row)).correct;
    const failures = problems.map((_, index) => {
      const own = rows.flatMap((row, i) => (row.problem === index ? [i] : []));
      const failed = own.filter((i) => !isRight(rows[i] as OpenRow));
      return when === "none-right" && failed.length < own.length ? [] : failed;
    });
    const wanted = failures.flatMap((failed, index) => (failed.length > 0 ? [index] : []));
    const candidates = await writeCandidates(problems, wanted, settings, context);
    let cost = addCosts(written.cost, candidates.cost);
    let injected = 0;
    let helped = 0;
    for (const index of wanted) {
      const right = candidates.rows.filter((row) => row.problem === index && isRight(row));
      const random = context.random.stream("inject", index);
      const failed = drawSome(failures[index] as number[], most, random.stream("failures"));
      const count = Math.min(failed.length, right.length);
      if (count === 0) continue;
      const ranked =
        choose === "random" || right.length <= count
          ? { rows: drawSome(right, count, random.stream("traces")), cost: noCost }
          : await mostComprehensible(right, problems[index] as Problem, context);
      cost = addCosts(cost, ranked.cost);
      for (const [k, i] of failed.slice(0, count).entries()) {
        rows[i] = ranked.rows[k] as OpenRow;
      }
      injected += count;
      helped += 1;
    }
    return {
      rows: rows.map(closeRow),
      cost,
      measures: {
        injectionRate: injected / Math.max(1, rows.length),
        injectedProblems: helped / Math.max(1, problems.length),
      },
    };
  },
});

async function writeCandidates(
  problems: readonly Problem[],
  wanted: readonly number[],
  { from, styles, traces }: z.output<typeof config>,
  context: SamplerContext,
) {
  const placed = (index: number, count: number, source: string) =>
    Array.from({ length: count }, (_, sample) =>
      openRow(context, problems[index] as Problem, { problem: index, sample }, { source }),
    );
  if (from === "teacher") {
    const opened = wanted.flatMap((index) => placed(index, traces, "teacher"));
    return writeOn(problems, opened, { by: "teacher", purpose: "inject" }, context);
  }
  if (from === "given") {
    const rows = wanted.flatMap((index) =>
      givenTraces(problems[index] as Problem, context)
        .slice(0, traces)
        .map(({ completion, finished, source }, sample) => {
          const [row] = placed(index, 1, source) as [OpenRow];
          return appendText(context, { ...row, sample }, completion, { finished });
        }),
    );
    return { rows, cost: noCost };
  }
  const solvers = solversOf(styles);
  let cost = noCost;
  const rows = wanted.flatMap((index) =>
    placed(index, traces, "oracle").map((row) => {
      const solver = solvers[row.sample % solvers.length] as (typeof solvers)[number];
      const text = solutionOf(solver, problems[index] as Problem, row, context);
      const whole = appendText(context, { ...row, source: solver.source }, text, {
        finished: true,
      });
      cost = addCosts(cost, textCost(row, whole));
      return whole;
    }),
  );
  return { rows, cost };
}

/** The traces by mean_t π(a_t | prompt, reasoning, a_<t) over the tokens of the right answer, highest first. */
async function mostComprehensible(
  rows: readonly OpenRow[],
  problem: Problem,
  context: SamplerContext,
) {
  const { tokenizer } = context;
  const asked = rows.flatMap((row, i) => {
    const parts = splitAnswer(textOf(context, row), problem.answer);
    if (parts === undefined) return [];
    const begun = appendText(context, { ...row, tokens: [] }, parts.reasoning);
    const whole = appendText(context, begun, parts.answer);
    const promptIds = [...begun.promptIds, ...idsOf(begun)];
    return [{ i, promptIds, completionIds: idsOf(whole).slice(begun.tokens.length) }];
  });
  const scores = await scoreCompletions(modelOf("student", context), asked, tokenizer.padId);
  const probability = new Map(
    asked.map(({ i }, k) => {
      const logProbs = scores[k] as number[];
      return [i, logProbs.reduce((sum, x) => sum + Math.exp(x), 0) / Math.max(1, logProbs.length)];
    }),
  );
  const order = rows.map((_, i) => i);
  order.sort((a, b) => (probability.get(b) ?? -1) - (probability.get(a) ?? -1));
  return {
    rows: order.map((i) => rows[i] as OpenRow),
    cost: { ...noCost, studentForwards: asked.length },
  };
}
