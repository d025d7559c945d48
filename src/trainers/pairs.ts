import { makeBatch, roundedLength, type Tokenizer, type TokenSequence } from "../data/index.js";
import type { LossState, LossTerm } from "../losses/index.js";
import type { LanguageModel } from "../models/index.js";
import { type AdamW, completeSchedule, learningRateAt, type Schedule } from "../optim/index.js";
import type { Teacher } from "../teachers/index.js";
import type { Random } from "../tensors/index.js";
import { checkLoss } from "./checks/check-loss.js";
import { requireParts } from "./checks/trainer-parts.js";
import { trackLossStates } from "./step/loss-states.js";
import { commonMetrics, type StepMetrics } from "./step/metrics.js";
import { evenParts, fewestPositions, type StepBatches, stepBatches } from "./step/micro-batches.js";
import { scoreBatches } from "./step/score-batches.js";
import { applyGradients, computeGradients } from "./step/step.js";
import { stepCost } from "./step/step-cost.js";

/** A preferred and a rejected answer to one prompt. */
export interface TokenPair {
  readonly positive: TokenSequence;
  readonly negative: TokenSequence;
}

/** Pairs as a function of the step, like `TrainingData`. */
export interface PairData {
  /** The `count` pairs of optimizer step `step` (from 0). */
  pairs(step: number, count: number): readonly TokenPair[] | Promise<readonly TokenPair[]>;
}

export interface PairsOptions {
  readonly student: LanguageModel;
  /** The frozen reference of losses that compare with one: usually what the student began as. */
  readonly reference?: Teacher;
  readonly data: PairData;
  readonly optimizer: AdamW;
  /** Losses on pairs, such as redi, dpo, ipo, simpo, rpo. */
  readonly loss: readonly LossTerm[];
  readonly steps: number;
  readonly tokenizer: Pick<Tokenizer, "padId"> & Partial<Pick<Tokenizer, "decode">>;
  /** For references that draw tokens. */
  readonly random: Random;
  /** Fields that are left out have their defaults. */
  readonly schedule?: Partial<Schedule>;
  /** Steps already done, when a run is resumed. */
  readonly startStep?: number;
  /** Of the last step's metrics, when a run is resumed. */
  readonly lossStates?: Readonly<Record<string, LossState>>;
  /** Pairs per optimizer step, over all micro-batches. Default: 16. */
  readonly batchSize?: number;
  readonly gradientAccumulationSteps?: number;
  readonly maxGradNorm?: number;
}

/**
 * Learning from pairs: the student comes to prefer one of two given answers to a prompt. A step is the
 * mean of the loss over its pairs; a pair with an answer of which nothing is learned does not count.
 */
export async function* pairs(options: PairsOptions): AsyncGenerator<StepMetrics> {
  requireParts("pairs", options, [
    "student",
    ["data", "pairs"],
    "optimizer",
    "tokenizer",
    "random",
  ]);
  const { student, reference, data, optimizer, loss, steps, tokenizer, random } = options;
  const { startStep = 0, batchSize = 16 } = options;
  const schedule = completeSchedule(options.schedule);
  const { gradientAccumulationSteps = 1, maxGradNorm } = options;
  const signals = checkLoss(loss, {
    studentVocabSize: student.config.vocabSize,
    ...(reference === undefined ? {} : { teacher: reference }),
    onPolicyFraction: 0,
    gradientAccumulationSteps,
    pairs: true,
  });
  const teacher = signals.length === 0 ? undefined : reference;
  const restrict = (row: TokenSequence) => teacher?.restrict?.(row) ?? row;
  const lossStates = trackLossStates(loss, steps, options.lossStates);

  for (let step = startStep; step < steps; step++) {
    const startMs = performance.now();
    const rows = (await data.pairs(step, batchSize)).map(({ positive, negative }) => ({
      positive: restrict(positive),
      negative: restrict(negative),
    }));
    const mostPositions = fewestPositions(student, teacher);
    using batches = splitPairs(rows, gradientAccumulationSteps, tokenizer.padId, mostPositions);
    using scored = await scoreBatches(batches, teacher, {
      signals,
      random: random.stream("reference", step),
    });

    const microBatches = scored.parts.map((part) => ({ ...part, isPairs: true }));
    using gradients = await computeGradients(student, loss, microBatches, {
      ...lossStates.contextOf(step),
      tokenizer,
    });
    const learningRate = learningRateAt(step, steps, schedule);
    applyGradients(optimizer, gradients, learningRate, maxGradNorm);
    lossStates.advance(step, gradients.means);

    yield {
      step: step + 1,
      ...commonMetrics(gradients, batches),
      learningRate,
      onPolicyShare: 0,
      cost: stepCost(scored.parts),
      ...lossStates.metrics(),
      elapsedMs: performance.now() - startMs,
    };
  }
}

/** Pairs as batches of preferred answers and then rejected ones; no pair is split up. */
function splitPairs(
  rows: readonly TokenPair[],
  parts: number,
  padId: number,
  mostPositions: number,
): StepBatches {
  const all = rows.flatMap(({ positive, negative }) => [positive, negative]);
  const length = roundedLength(all, mostPositions);
  const batches = evenParts(rows, parts, "pairs").map(({ start, own }) => {
    const sequences = [...own.map((row) => row.positive), ...own.map((row) => row.negative)];
    return { batch: makeBatch(sequences, padId, length), firstRow: 2 * start, onPolicyRows: 0 };
  });
  return stepBatches(batches);
}
