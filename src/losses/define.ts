import type * as tf from "@tensorflow/tfjs-core";
import type { z } from "zod";
import type { RowLoss } from "../ops/index.js";
import type { LossInput, LossInputs } from "./inputs.js";

/**
 * What a loss has a value of: every position of every row, `[B, T]`, or every row (pair, list,
 * sequence), `[B]`. Positions outside the completion and rows that do not count are left out when
 * the values are averaged, never inside the loss.
 */
export type ValuesPer = "token" | "row";
export interface LossTensors {
  readonly token: tf.Tensor2D;
  readonly row: tf.Tensor1D;
}

/**
 * Facts about a loss that the conformance suite checks, so that they cannot be wrong for long. Each
 * is false unless claimed.
 */
export interface LossProperties {
  readonly nonNegative?: boolean;
  /** Value 0 and gradient 0 where every student input equals its teacher counterpart. */
  readonly zeroWhenStudentEqualsTeacher?: boolean;
  /** Unchanged when a constant is added to all logits of a position, or all scores of a list. */
  readonly shiftInvariant?: boolean;
  /**
   * Rows are compared with each other, so the value of a row depends on the batch it is in. A
   * trainer then refuses to split a step into micro-batches.
   */
  readonly comparesRows?: boolean;
  /** Student and teacher may have different vocabularies. */
  readonly allowsOtherVocabulary?: boolean;
}

/** How the per-token values of a batch become one number; see `reduce.ts`. */
export type Aggregation = "token" | "sequence" | { readonly fixedLength: number };

/** What a loss remembers from step to step: plain numbers, so that a checkpoint can hold them. */
export type LossState = Readonly<Record<string, number | null>>;

/** What a loss learns at the end of an optimizer step. */
export interface FinishedStep {
  /** The loss's own mean over the whole step, all micro-batches together, before its weight. */
  readonly loss: number;
  /** Share of all optimizer steps that are done, 0 < progress ≤ 1. */
  readonly progress: number;
}

/** State of a loss, as pure functions; the trainer holds the value. */
export interface LossStateDefinition<C, M extends LossState> {
  initial(config: C): M;
  /** The state of the next step. Called once per optimizer step, not per micro-batch. */
  advance(state: M, step: FinishedStep, config: C): M;
  /**
   * The numbers of a state that `evaluate` computes with, by name. A trainer gives them to it as scalars, so that a step does the
   * same in every state and can be replayed: beside their values, only which of them are exactly 0 or 1 may decide what is
   * computed. Where it is left out, steps with the loss are computed each time.
   */
  numbers?(state: M): Readonly<Record<string, number>>;
}

/** The {@link LossStateDefinition.numbers} of a state as tensors. */
export type StateNumbers = Readonly<Record<string, tf.Scalar>>;

export interface LossDefinition<
  N extends string = string,
  I extends LossInput = LossInput,
  S extends z.ZodObject = z.ZodObject,
  P extends ValuesPer = ValuesPer,
  M extends LossState = LossState,
  O extends LossInput = LossInput,
> {
  /** Name in configs, logs and docs; the file is called the same. */
  readonly name: N;
  /** One sentence, direction first. */
  readonly summary: string;
  /**
   * Which way a divergence goes and what that means: `KL(student ‖ teacher), mode-seeking`. Left out
   * where the question does not arise.
   */
  readonly direction?: string;
  /** The formula in plain text. */
  readonly formula: string;
  /** Paper and equation, or URL. */
  readonly reference: string;
  /** When to choose it, in a sentence or two. */
  readonly whenToUse?: string;
  /** What a run looks like in which it goes wrong, and the remedy. */
  readonly failureSignature?: string;
  /** Whether `evaluate` gives `[B, T]` or `[B]`. */
  readonly per: P;
  /** The inputs it reads, and no others; a trainer supplies exactly these. */
  readonly needs: readonly I[];
  /** Inputs it can do without and says how; a trainer supplies these too. */
  readonly optional?: readonly O[];
  /** Options with defaults, every field described. */
  readonly config: S;
  readonly properties: LossProperties;
  /** At least two configurations, one with temperature ≠ 1, for fixtures and conformance. */
  readonly examples: readonly z.input<S>[];
  /** What it remembers from step to step, for the few losses that do. */
  readonly state?: LossStateDefinition<z.output<S>, M>;
  /**
   * The same values as a sum of losses that an op computes from hidden states, for a loss that is
   * one: a trainer then needs no logits `[B, T, V]`. Not for a loss with a state.
   */
  rowLosses?(config: z.output<S>): readonly RowLoss[];
  /** What is to be said before a training with this configuration, which does not do what one would expect. */
  caution?(config: z.output<S>): string | undefined;
  /** How a trainer averages the values of a loss per token. Default: over all tokens of a step. */
  aggregation?(config: z.output<S>): Aggregation;
  /** Values `[B, T]` or `[B]`, unreduced and unmasked. Without a state: at the initial one; without its numbers: by those of the state. */
  evaluate(
    inputs: Pick<LossInputs, I> & Partial<Pick<LossInputs, O>>,
    config: z.output<S>,
    state?: M,
    numbers?: StateNumbers,
  ): LossTensors[P];
}

/**
 * Types a definition from its parts; returns it unchanged. Reading an input in `evaluate` that is in
 * neither `needs` nor `optional` is a compile error.
 */
export function defineLoss<
  N extends string,
  I extends LossInput,
  S extends z.ZodObject,
  P extends ValuesPer,
  M extends LossState = LossState,
  O extends LossInput = never,
>(definition: LossDefinition<N, I, S, P, M, O>): LossDefinition<N, I, S, P, M, O> {
  return definition;
}
