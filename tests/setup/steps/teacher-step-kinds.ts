/** Trainings of a few steps from teachers whose scores are values of the host or made of those of others, and of lists: see `step-kinds.ts`. */
import * as tf from "@tensorflow/tfjs-core";
import { byteTokenizer } from "../../../src/data/index.js";
import {
  candidateCrossEntropyLoss,
  crossEntropyLoss,
  forwardKlLoss,
  listKlLoss,
  lossTerm,
  type LossTerm,
  policyGradientLoss,
  reverseKlLoss,
  sampledKlLoss,
} from "../../../src/losses/index.js";
import { initializeDecoder, SequenceModel } from "../../../src/models/index.js";
import {
  alignedTeacher,
  type ExactLanguage,
  exactTeacher,
  hiddenStatesTeacher,
  mixtureTeacher,
  modelTeacher,
  promptedTeacher,
  routedTeacher,
} from "../../../src/teachers/index.js";
import { createVariable, Random } from "../../../src/tensors/index.js";
import { distill, rank } from "../../../src/trainers/index.js";
import { tokenizer } from "../../unit/trainers/reinforce/setup.js";
import {
  batchSize,
  common,
  config,
  distilling,
  modelOf,
  random,
  rowsOf,
  type StepKind,
} from "./step-kinds.js";

const ofCharacters = modelOf({ vocabSize: tokenizer.vocabSize });
const bytes = byteTokenizer();
const modelTeacherOf = (model: typeof config, name: string) =>
  modelTeacher(initializeDecoder(model, new Random(1).stream(name)), name);

/** Rows of the same ids, of those alone that are characters, and with a name. */
const spelled = (step: number, count: number) =>
  rowsOf(step, count).map((row, i) => ({
    ...row,
    ids: row.ids.map((id) => tokenizer.encode("0123456789+=,:~")[id % 15] as number),
    id: `row ${i}`,
  }));

/** Distillation of rows that are characters. */
const ofText =
  (onPolicyFraction: number, loss: () => readonly LossTerm[]): StepKind["run"] =>
  ({ replay: _, ...training }, steps, startStep) =>
    distill({
      ...{ ...common, ...training, steps, startStep, onPolicyFraction, loss: loss() },
      ...{ tokenizer, random: random(), maxNewTokens: 6 },
      data: {
        rows: spelled,
        promptOf: ({ ids, completionStart }) => ids.slice(0, completionStart),
      },
    });

/** A value for every place, which follows from the ids before it. */
function statesOf(ids: readonly number[], completionStart: number, width: number): Float32Array {
  const stream = new Random(7).stream("states", ...ids);
  const count = (ids.length - Math.max(1, completionStart)) * width;
  return Float32Array.from({ length: count }, () => stream.normal());
}

const headOf = (vocabSize: number, hiddenSize: number) => {
  const stream = new Random(7).stream("head");
  const values = Float32Array.from({ length: vocabSize * hiddenSize }, () => stream.normal());
  return { values, vocabSize, hiddenSize };
};

/** After a token comes the next id with probability 0.9. */
const counting: ExactLanguage<number> = {
  ...{ vocabSize: config.vocabSize, start: 0, advance: (_, id) => id },
  logProbs: (state) => {
    const values = new Float64Array(config.vocabSize).fill(Math.log(0.1 / (config.vocabSize - 1)));
    values[(state + 1) % config.vocabSize] = Math.log(0.9);
    return values;
  },
};

/** As many lists at every step, of as many candidates, whose lengths and grades are others. */
const listsOf = (step: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    ...{ queryId: `${step} ${i}`, query: "" },
    candidates: rowsOf(step, 2 + (i % 3)).map(({ ids }, j) => ({
      ...{ docid: `${j}`, text: "", grade: (step + i + j) % 3 },
      ids: ids.slice(i % 4),
    })),
  }));

/** By name, from the plainest on. */
export const teacherStepKinds: Readonly<Record<string, StepKind>> = {
  "distill from hidden states": {
    run: distilling(0, () => [lossTerm(reverseKlLoss, {}), lossTerm(crossEntropyLoss, {}, 0.3)]),
    teacher: () =>
      hiddenStatesTeacher(
        {
          name: "states",
          states: (sequences) =>
            Promise.resolve(
              sequences.map(({ ids, completionStart }) => statesOf(ids, completionStart, 12)),
            ),
        },
        headOf(config.vocabSize, 12),
      ),
  },
  "distill from a language that is known": {
    run: distilling(0.5, () => [lossTerm(reverseKlLoss, {}), lossTerm(sampledKlLoss, {}, 0.3)]),
    teacher: () => exactTeacher(counting, "counting", { samples: 2 }),
  },
  "distill from a teacher with a prompt of its own": {
    run: distilling(0.5, () => [lossTerm(reverseKlLoss, {}), lossTerm(forwardKlLoss, {}, 0.5)]),
    teacher: () => promptedTeacher(modelTeacherOf(config, "teacher"), "1+{prompt}", tokenizer),
  },
  "distill logits of a teacher with another tokenizer": {
    run: ofText(0, () => [lossTerm(forwardKlLoss, {})]),
    model: ofCharacters,
    teacher: () =>
      alignedTeacher(modelTeacherOf(modelOf({ vocabSize: bytes.vocabSize }), "teacher"), {
        ...{ teacherTokenizer: bytes, studentTokenizer: tokenizer, signal: "teacherLogits" },
      }),
  },
  "distill a policy gradient by a teacher with another tokenizer": {
    run: ofText(1, () => [lossTerm(policyGradientLoss, {})]),
    model: ofCharacters,
    teacher: () =>
      alignedTeacher(modelTeacherOf(modelOf({ vocabSize: bytes.vocabSize }), "teacher"), {
        ...{ teacherTokenizer: bytes, studentTokenizer: tokenizer, signal: "teacherTokenLogProbs" },
      }),
  },
  "distill tokens that a mixture draws": {
    run: distilling(0, () => [lossTerm(sampledKlLoss, {})]),
    teacher: () =>
      mixtureTeacher(
        [
          { teacher: modelTeacherOf(config, "one"), weight: 2 },
          { teacher: modelTeacherOf(config, "other"), weight: 1 },
        ],
        { samples: 3 },
      ),
  },
  "distill from several teachers, each for rows of its own": {
    run: ofText(0, () => [lossTerm(reverseKlLoss, {})]),
    model: ofCharacters,
    teacher: () =>
      routedTeacher(
        [
          { teacher: modelTeacherOf(ofCharacters, "one"), when: { id: "[13]$" } },
          { teacher: modelTeacherOf(ofCharacters, "other") },
        ],
        () => "",
      ),
  },
  rank: {
    run: async function* ({ student, optimizer }, steps, startStep) {
      const stream = new Random(2).stream("score");
      const values = Float32Array.from({ length: config.hiddenSize }, () => stream.normal());
      const score = createVariable(tf.tensor2d(values, [1, config.hiddenSize]), false);
      const head = { numLabels: 1, labels: ["LABEL_0"], problemType: null } as const;
      try {
        yield* rank({
          ...{ ...common, optimizer, steps, startStep, random: random(), batchSize },
          student: new SequenceModel(student.config, head, student, score),
          teacher: {
            name: "by place",
            scores: ({ candidates }) =>
              Promise.resolve(candidates.map(({ ids }, i) => ids[i] ?? 0)),
          },
          loss: [
            { ...lossTerm(candidateCrossEntropyLoss, {}), scores: "relevance" },
            lossTerm(listKlLoss, {}, 0.3),
          ],
          data: { lists: listsOf },
          gradientAccumulationSteps: 2,
        });
      } finally {
        score.dispose();
      }
    },
    model: modelOf({ tieWordEmbeddings: true }),
  },
};
