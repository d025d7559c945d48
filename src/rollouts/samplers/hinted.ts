import { z } from "zod";
import { fillTemplate, majorityWrong, placeholdersOf, type Problem } from "../../data/index.js";
import { samplingPolicySchema } from "../sampling-policy.js";
import { samplesField } from "./fields.js";
import { givenTraces } from "./given.js";
import { addCosts, defineSampler, noCost, type SamplerContext } from "./sampler.js";
import { closeRow, type OpenRow, openRow, openRows, textOf } from "./writing/open-row.js";
import { type Writer, writeOn } from "./writing/write-on.js";

const hints = ["prompt", "answer", "hidden", "completion", "good", "bad"] as const;

const config = z.strictObject({
  by: z.enum(["student", "teacher"]).default("student").describe("Which model writes."),
  template: z
    .string()
    .default("§{answer}¤{prompt}")
    .refine((text) => placeholdersOf(text).every((name) => hints.some((hint) => hint === name)), {
      message: `can have {prompt}, {answer}, {hidden}, {completion} (the data's), {good} and {bad}`,
    })
    .describe(
      "What the writer reads in place of the prompt: {prompt}, {answer}, {hidden} (what the task hides from students), {completion} (the data's), {good} and {bad} (a right and the commonest wrong completion of the writer's own). The characters that set the parts apart must be in the tokenizer.",
    ),
  samplesPerProblem: samplesField(1),
  attempts: z
    .int()
    .min(2)
    .default(4)
    .describe("Completions without a hint in which {good} and {bad} are looked for."),
  attemptSampling: samplingPolicySchema
    .prefault({ samplingTemperature: 0.8, topK: 50 })
    .describe("How those are sampled."),
});

/**
 * A model writes with a hint that the student will not have: the row's prompt is the bare one. With
 * {good} or {bad} it first attempts each problem without a hint, unless earlier traces are given;
 * problems without a right or without a wrong attempt are left out, and `withoutHint` says how many.
 * Rows may be wrong all the same: the filter `correct` keeps the right ones.
 *
 * No token has a ratio of policies (`own` is 0), as none was written from the row's prompt. The
 * paper's hinted texts are sampled at temperature 0.4 and top-k 50: that is `sampling`.
 */
export const hintedSampler = defineSampler({
  name: "hinted",
  summary:
    "The prompt tells the writer more than the student will know; the row keeps the bare prompt.",
  reference: "Semantic Soft Bootstrapping, logit_gen.py; TinyLLM (the answer is told)",
  needs: [],
  needsFor: ({ by }) => [by],
  config,
  async sample(problems, { by, template, samplesPerProblem, attempts, attemptSampling }, context) {
    const named = placeholdersOf(template);
    const wantsAttempts = named.includes("good") || named.includes("bad");
    const isGiven = context.given !== undefined;
    const attempted =
      wantsAttempts && !isGiven
        ? await attempt(problems, by, attempts, attemptSampling, context)
        : { texts: problems.map((problem) => givenTraces(problem, context)), cost: noCost };
    const shown = problems.map((problem, index) => {
      if (!wantsAttempts) return shownFor(problem, {}, template);
      const traces = attempted.texts[index] ?? [];
      const good = traces.find(({ correct }) => correct);
      const answered = traces.map((trace) => ({
        ...trace,
        answer: context.problems.verify(problem, trace.completion).answer,
      }));
      const bad = majorityWrong(answered, context.random.stream("bad", index));
      if (good === undefined || bad === undefined) return undefined;
      return shownFor(problem, { good: good.completion, bad: bad.completion }, template);
    });
    const opened = problems.flatMap((problem, index) => {
      const shownPrompt = shown[index];
      if (shownPrompt === undefined) return [];
      return Array.from({ length: samplesPerProblem }, (_, sample) =>
        openRow(
          context,
          problem,
          { problem: index, sample },
          { source: `${by} hinted`, shownPrompt },
        ),
      );
    });
    const written = await writeOn(problems, opened, { by, purpose: "hinted" }, context);
    return {
      rows: written.rows.map(closeRow),
      cost: addCosts(attempted.cost, written.cost),
      measures: { withoutHint: shown.filter((text) => text === undefined).length },
    };
  },
});

function shownFor(
  { prompt, answer, hidden, completion }: Problem,
  others: { readonly good?: string; readonly bad?: string },
  template: string,
): string {
  return fillTemplate(
    template,
    { prompt, answer, hidden, completion, ...others },
    "sampler.template",
  );
}

async function attempt(
  problems: readonly Problem[],
  by: Writer,
  attempts: number,
  policy: SamplerContext["policy"],
  context: SamplerContext,
) {
  const opened = openRows(context, problems, attempts, () => ({ source: by }));
  const { rows, cost } = await writeOn(problems, opened, { by, purpose: "write", policy }, context);
  const texts = problems.map((problem, index) =>
    rows
      .filter((row) => row.problem === index)
      .map((row) => describe(row, textOf(context, row), problem, context)),
  );
  return { texts, cost };
}

function describe(
  { finished, source }: OpenRow,
  completion: string,
  problem: Problem,
  { problems }: SamplerContext,
) {
  const { correct } = problems.verify(problem, completion);
  return { completion, finished, source, correct };
}
