import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import type { Problem } from "../../data/index.js";
import { NotFiniteError, PupilError } from "../../errors/index.js";
import { contextLength } from "../../models/index.js";
import { sampleTokens, selectedLogProbs } from "../../ops/index.js";
import { readValues } from "../../tensors/index.js";
import { contextGroups } from "../context-groups.js";
import { checkPrompts } from "../check-prompts.js";
import { rowInputs } from "../row-inputs.js";
import { sampleUniforms } from "../sample-uniforms.js";
import { type SamplingPolicy, samplingPolicySchema } from "../sampling-policy.js";
import { modelSource, type TokenSource } from "../token-source.js";
import { samplesField } from "./fields.js";
import { defineSampler, type SamplerContext } from "./sampler.js";
import { closeRow, type OpenRow, openRows, type WrittenToken } from "./writing/open-row.js";
import { modelOf, rowsPerPass, sequenceId } from "./writing/write-on.js";

const config = z.strictObject({
  samplesPerProblem: samplesField(1),
  threshold: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe("τ: probability that the student must give to a token that the teacher proposes."),
  topK: z
    .int()
    .min(1)
    .default(20)
    .describe("The token must be among so many likeliest ones of the student, too."),
  tries: z
    .int()
    .min(1)
    .default(5)
    .describe("Tokens that the teacher proposes in a place, at most."),
  teacherSampling: samplingPolicySchema
    .prefault({ samplingTemperature: 0.7, topP: 0.95, topK: 20 })
    .describe("How it proposes."),
});
type Settings = z.output<typeof config>;

/**
 * The teacher proposes tokens, one after the other; the first is taken that is among the student's
 * `topK` likeliest and has a probability of at least `threshold` under it. Where it vetoes all
 * `tries`, it writes the token itself, of its `topK` likeliest. Both read the same text.
 *
 * `vetoRate` is the share of the proposals looked at that were vetoed, `ownRate` that of tokens which
 * the student wrote. A pass of each model is paid for every token.
 */
export const mixedSampler = defineSampler({
  name: "mixed",
  summary: "The teacher proposes every token, and the student vetoes what it finds improbable.",
  reference: "In Their Own Words: reverse speculative decoding",
  needs: ["student", "teacher"],
  config,
  async sample(problems, settings, context) {
    const opened = openRows(context, problems, settings.samplesPerProblem, () => ({
      source: "mixed",
    }));
    requireOneVocabulary(context);
    const counts = { looked: 0, vetoed: 0, own: 0, tokens: 0 };
    const rows: OpenRow[] = [];
    for (let start = 0; start < opened.length; start += rowsPerPass) {
      const part = opened.slice(start, start + rowsPerPass);
      rows.push(...(await writeTogether(problems, part, settings, context, counts)));
      context.report?.(part.length);
    }
    const { looked, vetoed, own, tokens } = counts;
    return {
      rows: rows.map(closeRow),
      cost: {
        ...{ studentTokens: own, teacherTokens: tokens - own },
        ...{ studentForwards: tokens, teacherForwards: tokens },
      },
      measures: { vetoRate: vetoed / Math.max(1, looked), ownRate: own / Math.max(1, tokens) },
    };
  },
});

/** @throws PupilError for two models that do not have the same tokens */
export function requireOneVocabulary(context: SamplerContext): void {
  const [student, teacher] = [modelOf("student", context), modelOf("teacher", context)];
  if (student.config.vocabSize === teacher.config.vocabSize) return;
  throw new PupilError(
    `the student has ${student.config.vocabSize} tokens and the teacher ${teacher.config.vocabSize}: they cannot write one text together.`,
    { field: "teacher", remedy: "Take two models with one tokenizer." },
  );
}

interface Counts {
  looked: number;
  vetoed: number;
  own: number;
  tokens: number;
}

async function writeTogether(
  _problems: readonly Problem[],
  rows: readonly OpenRow[],
  settings: Settings,
  context: SamplerContext,
  counts: Counts,
): Promise<OpenRow[]> {
  const student = modelOf("student", context);
  const teacher = modelOf("teacher", context);
  const limit = Math.min(
    ...[student, teacher].map(({ config: shape }) => contextLength(shape)),
    context.maxPositions ?? Infinity,
  );
  const prompts = rows.map(({ promptIds }) => promptIds);
  const { vocabSize } = student.config;
  checkPrompts(prompts, { ...student.config, maxPositions: limit, vocabSize });
  const written: OpenRow[] = [];
  const lengths = prompts.map(({ length }) => length);
  for (const group of contextGroups(lengths, context.maxNewTokens, limit)) {
    const done = await writeGroup(
      group.rows.map((row) => rows[row] as OpenRow),
      group.maxNewTokens,
      { student: modelSource(student), teacher: modelSource(teacher) },
      { settings, context, counts },
    );
    for (const [i, row] of group.rows.entries()) written[row] = done[i] as OpenRow;
  }
  return written;
}

interface GrowingRow {
  readonly promptIds: readonly number[];
  readonly completionIds: number[];
  readonly tokens: WrittenToken[];
  finished: boolean;
}

async function writeGroup(
  rows: readonly OpenRow[],
  maxNewTokens: number,
  sources: { readonly student: TokenSource; readonly teacher: TokenSource },
  parts: { readonly settings: Settings; readonly context: SamplerContext; readonly counts: Counts },
): Promise<OpenRow[]> {
  const { settings, context, counts } = parts;
  const { endIds, padId } = context.tokenizer;
  const growing = rows.map(({ promptIds }): GrowingRow => {
    return { promptIds, completionIds: [], tokens: [], finished: false };
  });
  const capacity = Math.max(...rows.map(({ promptIds }) => promptIds.length)) + maxNewTokens;
  using student = sources.student.open(capacity);
  using teacher = sources.teacher.open(capacity);
  for (let position = 0; position < maxNewTokens; position++) {
    if (growing.every(({ finished }) => finished)) break;
    const inputs = rowInputs(growing, padId);
    const [studentNext, teacherNext] = [await student.next(inputs), await teacher.next(inputs)];
    const drawn = tf.tidy(() =>
      propose(studentNext(), teacherNext(), settings, {
        policy: context.policy,
        uniforms: (purpose) =>
          sampleUniforms(context.random.stream(purpose), rows.map(sequenceId), position),
      }),
    );
    const values = await readValues(drawn, "float32");
    const at = (column: number, row: number) => values[column * rows.length + row] as number;
    for (const [i, row] of growing.entries()) {
      if (row.finished) continue;
      const token = decide((column) => at(column, i), settings, counts);
      row.tokens.push(token);
      row.completionIds.push(token.id);
      row.finished = endIds.includes(token.id);
    }
  }
  return rows.map((row, i) => {
    const { tokens, finished } = growing[i] as GrowingRow;
    return { ...row, tokens, finished };
  });
}

interface Draw {
  readonly policy: SamplingPolicy;
  readonly uniforms: (purpose: string) => tf.Tensor1D;
}

/**
 * `[3K + 3, B]`: ids of the K proposals, the teacher's log-probabilities of them, the student's, the
 * student's of its `topK`-th token, and the token that it would write itself with its log-probability.
 */
function propose(
  studentLogits: tf.Tensor2D,
  teacherLogits: tf.Tensor2D,
  { tries, teacherSampling, topK }: Settings,
  { policy, uniforms }: Draw,
): tf.Tensor2D {
  const proposals = Array.from({ length: tries }, (_, i) =>
    sampleTokens(teacherLogits, teacherSampling, uniforms(`proposal ${i}`)),
  );
  const row = (pair: tf.Tensor2D, i: number) => pair.slice([i, 0], [1, -1]).reshape([-1]);
  const ids = proposals.map((pair) => row(pair, 0) as tf.Tensor1D);
  const size = studentLogits.shape[1];
  const best = tf.topk(studentLogits, Math.min(topK, size)).indices;
  const last = best.slice([0, (best.shape[1] as number) - 1], [-1, 1]).reshape([-1]) as tf.Tensor1D;
  const asked = tf.stack([...ids.map((id) => id.toInt()), last.toInt()], 1).expandDims(1);
  const scored = selectedLogProbs(
    studentLogits.expandDims(1) as tf.Tensor3D,
    asked as tf.Tensor3D,
  ).squeeze([1]);
  const own = sampleTokens(studentLogits, { ...policy, topK }, uniforms("own"));
  return tf.concat([
    tf.stack(ids),
    tf.stack(proposals.map((pair) => row(pair, 1))),
    scored.transpose() as tf.Tensor2D,
    own,
  ] as tf.Tensor2D[]);
}

function decide(
  at: (column: number) => number,
  { tries, threshold }: Settings,
  counts: Counts,
): WrittenToken {
  const lowest = at(3 * tries);
  counts.tokens += 1;
  for (let i = 0; i < tries; i++) {
    counts.looked += 1;
    const score = at(2 * tries + i);
    if (!Number.isFinite(score) || !Number.isFinite(at(tries + i))) throw notFinite();
    if (score >= lowest && Math.exp(score) >= threshold) {
      return { id: at(i), logProb: at(tries + i), own: 0, learned: 1 };
    }
    counts.vetoed += 1;
  }
  counts.own += 1;
  return { id: at(3 * tries + 1), logProb: at(3 * tries + 2), own: 1, learned: 1 };
}

function notFinite(): NotFiniteError {
  return new NotFiniteError("a model's logits are not finite.", {
    field: "sampler mixed",
    remedy: "One of the two has diverged: go back to an earlier checkpoint of it.",
  });
}
