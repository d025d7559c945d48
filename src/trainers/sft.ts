import type { Tokenizer } from "../data/index.js";
import { crossEntropyLoss, type LossState, type LossTerm, lossTerm } from "../losses/index.js";
import type { LanguageModel } from "../models/index.js";
import { type AdamW, completeSchedule, learningRateAt, type Schedule } from "../optim/index.js";
import { checkLoss } from "./checks/check-loss.js";
import { requireParts } from "./checks/trainer-parts.js";
import type { TrainingData } from "./data-source.js";
import { trackLossStates } from "./step/loss-states.js";
import { commonMetrics, type StepMetrics } from "./step/metrics.js";
import { fewestPositions, splitIntoBatches } from "./step/micro-batches.js";
import { applyGradients, computeGradients } from "./step/step.js";
import { stepCost } from "./step/step-cost.js";

export interface SftOptions {
  readonly student: LanguageModel;
  readonly data: TrainingData;
  readonly optimizer: AdamW;
  /** Terms on labels. Default: cross-entropy. */
  readonly loss?: readonly LossTerm[];
  readonly steps: number;
  readonly tokenizer: Pick<Tokenizer, "padId"> & Partial<Pick<Tokenizer, "decode">>;
  /** Fields that are left out have their defaults. */
  readonly schedule?: Partial<Schedule>;
  /** Steps already done, when a run is resumed. */
  readonly startStep?: number;
  /** Of the last step's metrics, when a run is resumed. */
  readonly lossStates?: Readonly<Record<string, LossState>>;
  /** Rows per optimizer step, over all micro-batches. Default: 16. */
  readonly batchSize?: number;
  readonly gradientAccumulationSteps?: number;
  /** Several rows of the data side by side in one, without seeing each other. Default: false. */
  readonly packing?: boolean;
  readonly maxGradNorm?: number;
}

/**
 * Supervised fine-tuning: the student predicts the completion tokens of given rows.
 * Breaking out of the loop stops the training and leaks nothing.
 *
 * @throws PupilError for a part that is missing
 */
export async function* sft(options: SftOptions): AsyncGenerator<StepMetrics> {
  requireParts("sft", options, ["student", "data", "optimizer", "tokenizer"]);
  const { student, data, optimizer, steps, tokenizer } = options;
  const { loss = [lossTerm(crossEntropyLoss, {})] } = options;
  const { startStep = 0, batchSize = 16 } = options;
  const schedule = completeSchedule(options.schedule);
  const { gradientAccumulationSteps = 1, packing = false, maxGradNorm } = options;
  const studentVocabSize = student.config.vocabSize;
  checkLoss(loss, { studentVocabSize, onPolicyFraction: 0, gradientAccumulationSteps, packing });
  const lossStates = trackLossStates(loss, steps, options.lossStates);

  for (let step = startStep; step < steps; step++) {
    const startMs = performance.now();
    const rows = await data.rows(step, batchSize);
    const { padId } = tokenizer;
    using batches = splitIntoBatches([], rows, gradientAccumulationSteps, padId, {
      packing,
      mostPositions: fewestPositions(student),
    });

    using gradients = await computeGradients(student, loss, batches.parts, {
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
      cost: stepCost(batches.parts),
      ...lossStates.metrics(),
      elapsedMs: performance.now() - startMs,
    };
  }
}
