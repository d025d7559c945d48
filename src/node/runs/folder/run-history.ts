import {
  type LogRow,
  metricsOfRow,
  type StepMetrics,
  type TrainingWarning,
  watchEvaluations,
  watchTraining,
} from "../../../trainers/index.js";
import { addCosts, noCost, type SamplingCost } from "../../../rollouts/index.js";

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
export interface RunHistory {
  /** Before the first step. */
  readonly initial: Evaluation | undefined;
  readonly last: Evaluation | undefined;
  readonly tokens: number;
  /** What sampling and training have cost, as far as the log says. */
  readonly cost: SamplingCost;
  readonly trainingMs: number;
  /** Whether the last step or the last evaluation was far worse than the first. */
  readonly diverged: boolean;
  /** Adds a row of the log that an earlier process wrote. */
  replay(row: LogRow): void;
  /** Returns what is newly wrong. */
  addStep(metrics: StepMetrics): TrainingWarning[];
  /** Returns what is newly wrong. */
  addEvaluation(evaluation: Evaluation): TrainingWarning[];
  /** How many of the first `step` steps the log does not have. */
  missing(step: number): number;
}

export function emptyHistory(): RunHistory {
  const evaluations: { initial?: Evaluation; last?: Evaluation } = {};
  const sums = { steps: 0, tokens: 0, cost: noCost, trainingMs: 0 };
  const watch = watchTraining();
  const watchHeldOut = watchEvaluations();
  const addStep = (metrics: StepMetrics) => {
    sums.steps++;
    sums.tokens += metrics.tokens;
    sums.cost = addCosts(sums.cost, metrics.cost ?? noCost);
    sums.trainingMs += metrics.elapsedMs;
    return watch(metrics);
  };
  const addEvaluation = (evaluation: Evaluation) => {
    if (evaluation.step === 0) evaluations.initial = evaluation;
    evaluations.last = evaluation;
    return watchHeldOut(evaluation.step, evaluation.metrics);
  };
  return {
    get initial() {
      return evaluations.initial;
    },
    get last() {
      return evaluations.last;
    },
    get tokens() {
      return sums.tokens;
    },
    get cost() {
      return sums.cost;
    },
    get trainingMs() {
      return sums.trainingMs;
    },
    get diverged() {
      return watch.showing().includes("loss-diverges") || watchHeldOut.showing();
    },
    replay(row) {
      if (row.type === "step") addStep(metricsOfRow(row));
      if (row.type === "evaluation") addEvaluation({ step: row.step, metrics: row.values });
    },
    addStep,
    addEvaluation,
    missing: (step) => step - sums.steps,
  };
}
