import {
  type StepMetrics,
  type TrainingWarning,
  watchEvaluations,
  watchTraining,
} from "../../trainers/index.js";
import { withNumbers } from "../files/json.js";
import type { LogRow } from "./run-log.js";

export type Metrics = Readonly<Record<string, number>>;

/** One evaluation, as it stands in `metrics.jsonl`. */
export interface Evaluation {
  readonly step: number;
  readonly metrics: Metrics;
}

/**
 * What a whole run has come to, over all the times that it was resumed. It is made of the log alone, so
 * that a resumed run and an uninterrupted one, with the same log, say the same.
 */
export class RunHistory {
  /** Before the first step. */
  initial: Evaluation | undefined;
  last: Evaluation | undefined;
  tokens = 0;
  trainingMs = 0;
  private steps = 0;
  private readonly watch = watchTraining();
  private readonly watchEvaluations = watchEvaluations();

  /** Adds a row of the log that an earlier process wrote. */
  replay(row: LogRow): void {
    if ("warning" in row) return;
    const { step, ...rest } = withNumbers(row) as LogRow;
    if ("terms" in rest) this.addStep({ step, ...rest } as StepMetrics);
    else this.addEvaluation({ step, metrics: rest as Metrics });
  }

  /** Whether the last step or the last evaluation was far worse than the first. */
  get diverged(): boolean {
    return this.watch.showing().includes("loss-diverges") || this.watchEvaluations.showing();
  }

  /** Returns what is newly wrong. */
  addStep(metrics: StepMetrics): TrainingWarning[] {
    this.steps++;
    this.tokens += metrics.tokens;
    this.trainingMs += metrics.elapsedMs;
    return this.watch(metrics);
  }

  /** Returns what is newly wrong. */
  addEvaluation(evaluation: Evaluation): TrainingWarning[] {
    if (evaluation.step === 0) this.initial = evaluation;
    this.last = evaluation;
    return this.watchEvaluations(evaluation.step, evaluation.metrics);
  }

  /** How many of the first `step` steps the log does not have. */
  missing(step: number): number {
    return step - this.steps;
  }
}
