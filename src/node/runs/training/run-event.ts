import type { DataReport } from "../../../config/index.js";
import type { SamplingCost } from "../../../rollouts/index.js";
import type { StepMetrics, TrainingWarning } from "../../../trainers/index.js";
import type { Metrics } from "../folder/run-history.js";

/** What happens in a run, in order; the CLI shows it, tests read it. */
export type RunEvent =
  | { readonly type: "started"; readonly path: string; readonly notes: readonly string[] }
  | {
      readonly type: "resumed";
      readonly path: string;
      readonly step: number;
      readonly notes: readonly string[];
    }
  | { readonly type: "step"; readonly metrics: StepMetrics; readonly steps: number }
  | { readonly type: "warning"; readonly warning: TrainingWarning }
  | { readonly type: "evaluation"; readonly step: number; readonly metrics: Metrics }
  | { readonly type: "checkpoint"; readonly step: number; readonly path: string }
  | { readonly type: "finished"; readonly summary: RunSummary; readonly stopped: boolean };

/** `summary.json` of a run: of all its steps, however often it was resumed. */
export interface RunSummary {
  readonly name: string;
  readonly steps: number;
  readonly initial?: Metrics;
  readonly final: Metrics;
  /** Whether loss or evaluation were far worse at the end than at the start: the student is of no use. */
  readonly diverged: boolean;
  readonly parameters: number;
  /** Those that training changes, an adapter's too. */
  readonly trainedParameters: number;
  readonly tokens: number;
  /** What sampling and training have cost: see `SamplingCost`. */
  readonly cost: SamplingCost;
  readonly tokensPerSecond: number;
  readonly elapsedSeconds: number;
  readonly checkpoint: string;
  /** What became of the rows of the data. */
  readonly data?: DataReport;
}
