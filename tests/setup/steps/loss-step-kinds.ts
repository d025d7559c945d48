/** Trainings of a few steps by every family of losses, and of what else a training may be made of: see `step-kinds.ts`. */
import type * as tf from "@tensorflow/tfjs-core";
import {
  adaptiveKlLoss,
  attentionRelationLoss,
  crossEntropyLoss,
  forwardKlLoss,
  generalizedForwardKlLoss,
  generalizedJsdLoss,
  generalizedReverseKlLoss,
  hiddenStateLoss,
  inBatchContrastiveLoss,
  initialLossStates,
  ipoLoss,
  kvMatchLoss,
  logitMseLoss,
  lossTerm,
  type LossTerm,
  negativeEntropyLoss,
  neuronSelectivityLoss,
  policyGradientLoss,
  reverseKlLoss,
  rpoLoss,
  sampledKlLoss,
  sampledReverseKlLoss,
  simpoLoss,
  skewKlLoss,
  sparseKlLoss,
  symmetricKlLoss,
  taidLoss,
  totalVariationLoss,
  universalLogitLoss,
} from "../../../src/losses/index.js";
import { type Decoder, initializeDecoder } from "../../../src/models/index.js";
import { completeSchedule, learningRateAt } from "../../../src/optim/index.js";
import { lengthReward, makeReplay, replaySchema, rewardTerm } from "../../../src/rollouts/index.js";
import { averageTeacher, modelTeacher } from "../../../src/teachers/index.js";
import { Random } from "../../../src/tensors/index.js";
import { pairs, reinforce, type StepMetrics } from "../../../src/trainers/index.js";
import { commonMetrics } from "../../../src/trainers/step/metrics.js";
import { splitIntoBatches } from "../../../src/trainers/step/micro-batches.js";
import { makeProjections } from "../../../src/trainers/step/projections.js";
import { scoreBatches } from "../../../src/trainers/step/score-batches.js";
import { applyGradients, computeGradients } from "../../../src/trainers/step/step.js";
import { plain, problems, tokenizer } from "../../unit/trainers/reinforce/setup.js";
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

/** A weight that is another at every step. */
const falling = (from: number) =>
  ({ from, to: from / 8, shape: "cosine", begin: 0, end: 1 }) as const;

const deep = modelOf({ numLayers: 2 });
const wide = modelOf({ numLayers: 3, hiddenSize: 24 });
const ofCharacters = modelOf({ vocabSize: tokenizer.vocabSize });
const teacherOf = (model: typeof config, options = {}) =>
  modelTeacher(initializeDecoder(model, new Random(1).stream("teacher")), "model", options);

/** Hidden states of two pairs of layers, of other widths. */
const hiddenTerms = (): LossTerm[] => [
  {
    ...lossTerm(hiddenStateLoss, {}, falling(1)),
    layers: [
      [0, 1],
      [2, 3],
    ],
  },
  lossTerm(crossEntropyLoss, {}, 0.3),
];

const pairsOfLayers = [
  [1, 1],
  [2, 2],
] as const;

/** Every loss of distributions over the vocabulary that keeps nothing from step to step. */
const termsOfLogits = () =>
  [
    ...[forwardKlLoss, reverseKlLoss, symmetricKlLoss, generalizedJsdLoss, skewKlLoss],
    ...[adaptiveKlLoss, totalVariationLoss, logitMseLoss, negativeEntropyLoss, universalLogitLoss],
  ].map((loss, i) => lossTerm(loss as typeof forwardKlLoss, {}, falling(0.3 + 0.1 * i)));

/** Steps of losses that never make the logits, whatever their size. */
function withoutLogits(loss: () => LossTerm[]): StepKind["run"] {
  return async function* ({ student, teacher, optimizer }, steps, startStep) {
    const terms = loss();
    const states = initialLossStates(terms);
    for (let step = startStep; step < steps; step++) {
      const rows = rowsOf(step, batchSize);
      using batches = splitIntoBatches([], rows, 2, 0, { mostPositions: config.maxPositions });
      using scored = await scoreBatches(batches, teacher, {
        ...{ signals: ["teacherLogits"], advantageDiscount: 0, random: random() },
      });
      using gradients = await computeGradients(student, terms, scored.parts, {
        ...{ progress: step / steps, states, largestLogitsBytes: 0 },
      });
      const learningRate = learningRateAt(step, steps, completeSchedule(common.schedule));
      applyGradients(optimizer, gradients, learningRate, common.maxGradNorm);
      const metrics = { ...commonMetrics(gradients, batches), learningRate, onPolicyShare: 0 };
      yield { step: step + 1, ...metrics, elapsedMs: 0 } satisfies StepMetrics;
    }
  };
}

function freezeMost(student: Decoder): void {
  for (const [name, parameter] of student.parameters) {
    (parameter as { trainable: boolean } & tf.Variable).trainable = /down_proj|norm/.test(name);
  }
}

/** By name, from the plainest on. */
export const lossStepKinds: Readonly<Record<string, StepKind>> = {
  "distill hidden states of a wider teacher": {
    run: distilling(0.5, hiddenTerms, { gradientAccumulationSteps: 2 }),
    model: deep,
    teacher: () => teacherOf(wide),
    beside: () => {
      const sizes = { student: deep, teacher: wide };
      const projections = makeProjections(hiddenTerms(), sizes, new Random(4));
      return projections ? { projections } : {};
    },
  },
  "distill attentions, keys and values": {
    run: distilling(0.5, () => [
      { ...lossTerm(attentionRelationLoss, {}, falling(1)), layers: pairsOfLayers },
      { ...lossTerm(kvMatchLoss, {}, 0.5), layers: pairsOfLayers },
      lossTerm(reverseKlLoss, {}, 0.2),
    ]),
    model: deep,
    teacher: () => teacherOf(deep),
  },
  "distill what neurons select and rows contrast": {
    run: distilling(0, () => [
      lossTerm(neuronSelectivityLoss, {}, falling(1)),
      lossTerm(inBatchContrastiveLoss, {}, 0.5),
      lossTerm(crossEntropyLoss, {}, 0.2),
    ]),
  },
  "distill by every loss of logits, GPT-2": {
    run: distilling(0.5, termsOfLogits),
    model: modelOf({ family: "gpt2" }),
  },
  "distill the likeliest tokens of a model": {
    run: distilling(0, () => [
      lossTerm(sparseKlLoss, {}, falling(1)),
      lossTerm(generalizedForwardKlLoss, {}, 0.4),
      lossTerm(generalizedReverseKlLoss, {}, 0.3),
    ]),
    teacher: () => teacherOf(config, { topK: 4 }),
  },
  "distill without logits": {
    run: withoutLogits(() => [lossTerm(reverseKlLoss, {}), lossTerm(crossEntropyLoss, {}, 0.3)]),
  },
  "distill without logits, by weights that change": {
    run: withoutLogits(() => [
      lossTerm(reverseKlLoss, {}, falling(1)),
      lossTerm(crossEntropyLoss, {}, 0.3),
    ]),
  },
  "distill a student that is frozen but for norms and one layer": {
    run: distilling(0.5),
    prepare: freezeMost,
  },
  "distill with a replay": {
    run: distilling(1),
    beside: (saved) => ({
      replay: makeReplay(replaySchema.parse({ capacity: 16, threshold: 0.6 }), saved),
    }),
  },
  "distill from an average of the student": {
    run: distilling(0, () => [
      lossTerm(forwardKlLoss, {}, falling(1)),
      lossTerm(crossEntropyLoss, {}),
    ]),
    teacher: (student) => averageTeacher(student, 0.9),
    // The update of the average, too.
    calls: 3,
  },
  "distill tokens that a model draws": {
    run: distilling(0, () => [lossTerm(sampledKlLoss, {}, falling(1))]),
    teacher: () => teacherOf(config, { samples: 3 }),
  },
  "distill with a target that moves": {
    run: distilling(0, () => [lossTerm(taidLoss, {}), lossTerm(crossEntropyLoss, {}, 0.2)]),
  },
  "reinforce, two updates of what was written": {
    run: ({ teacher: reference, lossStates: _, ...training }, steps, startStep) =>
      reinforce({
        ...{ ...common, ...training, reference, steps, startStep, problems, random: random() },
        ...{ tokenizer, batchSize: 2, updatesPerRollout: 2, maxNewTokens: 4 },
        rewards: [rewardTerm(lengthReward, { shape: "shorter" })],
        sampler: plain(3),
        loss: [
          lossTerm(policyGradientLoss, {}),
          { ...lossTerm(sampledReverseKlLoss, {}, falling(0.3)), against: "reference" },
        ],
      }),
    model: ofCharacters,
    teacher: () => teacherOf(ofCharacters),
  },
  "pairs by the other losses": {
    run: ({ teacher: reference, ...training }, steps, startStep) =>
      pairs({
        ...{ ...common, ...training, reference, steps, startStep, random: random() },
        loss: [
          lossTerm(ipoLoss, {}, falling(1)),
          lossTerm(simpoLoss, {}, 0.3),
          lossTerm(rpoLoss, {}, 0.2),
        ],
        data: {
          pairs: (step, count) =>
            rowsOf(step, count).map((row) => {
              const ids = [...row.ids.slice(0, row.completionStart), ...row.ids.slice(4)];
              return { positive: row, negative: { ...row, ids } };
            }),
        },
      }),
  },
};
