import type { DerivedMeasures, RunConfig, Stage, StopRule } from "../../config/index.js";
import type { Comparison, DerivedComparison } from "../../statistics/index.js";
import type { PlannedStage } from "./stages/stage.js";

/** An arm before it runs. */
export interface PlannedArm {
  readonly name: string;
  /** What a file says that it changes; none for arms of a method. */
  readonly changes: Readonly<Record<string, unknown>>;
  /** Each after those that it needs; the last one is measured. */
  readonly stages: readonly Stage[];
}

/** One result of an ablation: an arm with a seed. */
export interface Cell {
  readonly arm: string;
  readonly seed: number;
  /** Of its last stage: hash of everything that decides it, and not of where it is written. */
  readonly id: string;
  /** Of its last stage. */
  readonly config: RunConfig;
  /** All stages that it takes, in their order. */
  readonly chain: readonly PlannedStage[];
}

/** What a method tells its report. */
export interface AboutMethod {
  readonly number?: number | undefined;
  readonly title: string;
  readonly paper: { readonly citation: string; readonly url: string };
  readonly fidelity: "faithful" | "proxy";
  readonly note?: string | undefined;
  readonly fairness: string;
  /** Our settings beside the paper's. */
  readonly settings: readonly SettingRow[];
}

export interface SettingRow {
  readonly name: string;
  readonly ours: string;
  /** Of the paper, where it is known, with where it is known from. */
  readonly paper?: string | undefined;
  readonly source?: string | undefined;
}

/** An ablation before it runs: nothing in it depends on results. */
export interface AblationPlan {
  readonly name: string;
  readonly folder: string;
  readonly arms: readonly PlannedArm[];
  readonly baseline: string;
  readonly seeds: readonly number[];
  readonly cells: readonly Cell[];
  /** Of all cells, each once and after those that it needs. */
  readonly stages: readonly PlannedStage[];
  /** By arm what its stages run, as it is written down. */
  readonly configs: Readonly<Record<string, unknown>>;
  readonly metrics: readonly string[] | undefined;
  /** Whether the report does without those of `metrics` that no run has; those of the claim are needed. */
  readonly metricsMayLack?: boolean | undefined;
  readonly derived?: DerivedMeasures | undefined;
  readonly claim: Claim | undefined;
  /** How the verdict will be reached, in words. */
  readonly rule: string | undefined;
  readonly about?: AboutMethod | undefined;
  /** Ends runs early. */
  readonly stop?: StopRule | undefined;
}

export interface Claim {
  readonly text: string;
  readonly comparisons: readonly (Comparison | DerivedComparison)[];
}

/** An ablation as a file or a method describes it. */
export interface AblationDraft {
  readonly name: string;
  /** For messages: the file, or the method's name. */
  readonly source: string;
  readonly arms: readonly PlannedArm[];
  readonly baseline: string;
  readonly seeds: readonly number[];
  readonly metrics?: readonly string[] | undefined;
  readonly metricsMayLack?: boolean | undefined;
  readonly derived?: DerivedMeasures | undefined;
  readonly claim?: Claim | undefined;
  readonly about?: AboutMethod | undefined;
  readonly stop?: StopRule | undefined;
  /** Arms of one run each, in folders that are called like them. */
  readonly isPlain: boolean;
}
