import type { LossState } from "../../losses/index.js";
import type { SamplingCost } from "../../rollouts/index.js";
import type { StepBatches } from "./micro-batches.js";
import type { StepGradients } from "./step.js";

/** What a trainer yields after every optimizer step. */
export interface StepMetrics {
  /** Optimizer steps done, from 1. */
  readonly step: number;
  /** Weighted sum of the terms. */
  readonly loss: number;
  /** Each term before its weight, as a mean over its tokens. */
  readonly terms: Readonly<Record<string, number>>;
  /**
   * How student and teacher compare, whatever the loss: see `diagnosticSums` for the names. Means over
   * learned positions of the step, or over a sample of them where there are many.
   */
  readonly diagnostics: Readonly<Record<string, number>>;
  /** Global gradient norm before clipping. */
  readonly gradNorm: number;
  readonly learningRate: number;
  /** Tokens that the loss counted in this step. */
  readonly tokens: number;
  /** Share of the step's positions that held padding: what `packing` saves, or has left. */
  readonly paddingShare: number;
  /** Share of rows that the student wrote itself. */
  readonly onPolicyShare: number;
  /**
   * With a replay: the probability that a step is of the student's rows, after this one's validation loss
   * (where it had one); rows of this step that were written now and that were written before; rows kept.
   */
  readonly replay?: {
    readonly threshold: number;
    readonly written: number;
    readonly replayed: number;
    readonly kept: number;
    readonly validationLoss?: number;
  };
  /** Mean number of tokens the student wrote per row; absent when it wrote none. */
  readonly rolloutLength?: number;
  /** Share of the student's rows that ended by themselves; absent where there is no end token. */
  readonly rolloutEndRate?: number;
  /** Rows of this step that each of several teachers scored, by its name. */
  readonly routedRows?: Readonly<Record<string, number>>;
  /** Share of the step's learned tokens that each of them scored. */
  readonly routedTokenShares?: Readonly<Record<string, number>>;
  /**
   * How far the student is from each of them where it scored: `forwardKl` and `reverseKl`, or with their
   * likeliest tokens alone `coarseForwardKl` and `coarseReverseKl`, as in `diagnostics`.
   */
  readonly routedDivergences?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Of the completions that the step is made of: mean and standard deviation of their rewards. */
  readonly reward?: number;
  readonly rewardStd?: number;
  /** Mean of each reward before its weight, by its label. */
  readonly rewards?: Readonly<Record<string, number>>;
  /** Share of those completions with a right answer. */
  readonly correctShare?: number;
  /** Share of problems whose completions all have the same reward: nothing is learned from their comparison. */
  readonly degenerateGroups?: number;
  /** What a sampler counts beside its costs. */
  readonly sampler?: Readonly<Record<string, number>>;
  /** What was paid for the step: see {@link SamplingCost}. Absent in logs of older versions. */
  readonly cost?: SamplingCost;
  /**
   * Present where further steps are made of the same rollouts: a run that went on from here could not
   * have them.
   */
  readonly isMidRollout?: true;
  /** What losses remember for the next step, by their labels; absent when none does. */
  readonly lossStates?: Readonly<Record<string, LossState>>;
  readonly elapsedMs: number;
}

/** What every trainer reports of a step's gradients and batches. */
export function commonMetrics(
  { loss, terms, diagnostics, gradNorm }: StepGradients,
  { tokens, paddingShare }: StepBatches,
) {
  return { loss, terms, diagnostics, gradNorm, tokens, paddingShare };
}
