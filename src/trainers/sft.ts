import type { LossTerm } from "../losses/index.js";
import type { LanguageModel } from "../models/index.js";
import { type AdamW, learningRateAt, type Schedule } from "../optim/index.js";
import type { TrainingData } from "./data-source.js";
import type { StepMetrics } from "./metrics.js";
import { splitIntoBatches } from "./micro-batches.js";
import { applyGradients, computeGradients } from "./step.js";

export interface SftOptions {
  readonly student: LanguageModel;
  readonly data: TrainingData;
  readonly optimizer: AdamW;
  /** Terms on labels; usually one cross-entropy term. */
  readonly loss: readonly LossTerm[];
  readonly schedule: Schedule;
  readonly steps: number;
  /** Steps already done, when a run is resumed. */
  readonly startStep?: number;
  /** Rows per optimizer step, over all micro-batches. */
  readonly batchSize: number;
  readonly gradientAccumulationSteps?: number;
  readonly maxGradNorm?: number;
  readonly padId: number;
}

/**
 * Supervised fine-tuning: the student predicts the completion tokens of given rows.
 * Breaking out of the loop stops the training and leaks nothing.
 */
export async function* sft(options: SftOptions): AsyncGenerator<StepMetrics> {
  const { student, data, optimizer, loss, schedule, steps, startStep = 0, batchSize } = options;
  const { gradientAccumulationSteps = 1, maxGradNorm, padId } = options;

  for (let step = startStep; step < steps; step++) {
    const startMs = performance.now();
    const rows = data.rows(step, batchSize);
    using batches = splitIntoBatches([], rows, gradientAccumulationSteps, padId);

    using gradients = await computeGradients(student, loss, batches.parts);
    const learningRate = learningRateAt(step, steps, schedule);
    applyGradients(optimizer, gradients, learningRate, maxGradNorm);

    yield {
      step: step + 1,
      loss: gradients.loss,
      terms: gradients.terms,
      gradNorm: gradients.gradNorm,
      learningRate,
      tokens: batches.tokens,
      onPolicyShare: 0,
      elapsedMs: performance.now() - startMs,
    };
  }
}
