import type { z } from "zod";
import type { Random } from "../../tensors/index.js";
import type { Problem, ProblemSource } from "../problems/index.js";

/** One worked answer to a problem: what filters choose from and transforms rewrite. */
export interface Trace {
  readonly problem: Problem;
  /** What the student will be given: the problem's prompt, or that with a view's or budget's mark. */
  readonly prompt: string;
  readonly completion: string;
  /** False where the completion was cut off. */
  readonly finished: boolean;
  /** Whether its final answer is right. */
  readonly correct: boolean;
  /** Its final answer as read from it; undefined where it has none. */
  readonly answer: string | undefined;
  /** Who wrote it: `oracle terse`, `student`, `teacher`, `data`. */
  readonly source: string;
  /** Tokens of the completion, its end token left out. */
  readonly tokens: number;
  /** Log-probability of every token under the model that wrote it, where one did. */
  readonly tokenLogProbs?: readonly number[];
  /** The prompt that its writer was shown, where that is another. */
  readonly shownPrompt?: string;
  /** Parts of the completion, from and to characters, that are only read: what a tool said, a given beginning. */
  readonly unlearned?: readonly (readonly [number, number])[];
}

/** A preferred and a rejected answer to one prompt, which may hold a beginning that both share. */
export interface TracePair {
  readonly problem: Problem;
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
  /** False where it goes on, so that no end is learned behind it. Default: both end. */
  readonly chosenFinished?: boolean;
  readonly rejectedFinished?: boolean;
}

/**
 * What a step on traces can need; `likelihood`: the log-probabilities of a student, `given`: the traces of
 * an earlier collection.
 */
export type TraceNeed = "likelihood" | "given" | "solve" | "checkSteps" | "continueFrom";

/** What a step on traces is given beside them. */
export interface TraceContext {
  readonly problems: ProblemSource;
  readonly random: Random;
  countTokens(text: string): number;
  /**
   * Log-probabilities of the tokens of each completion after its prompt, under the student; end token
   * left out. Absent where no student is there.
   */
  logProbs?(
    traces: readonly Pick<Trace, "prompt" | "completion">[],
  ): Promise<readonly (readonly number[])[]>;
  /** What an earlier collection has of a problem. Absent where none is named. */
  given?(problem: Problem): readonly { readonly correct: boolean }[];
}

/**
 * A step on traces: a filter drops some and changes none, a transform rewrites. Pure but for the
 * context; a rewritten trace is judged again by `context.problems`.
 */
export interface TraceStep<N extends string = string, S extends z.ZodObject = z.ZodObject> {
  /** Name in configs; the file is called the same. */
  readonly name: N;
  readonly kind: "filter" | "transform";
  /** One sentence. */
  readonly summary: string;
  /** Paper and section. */
  readonly reference?: string;
  /** What it needs, for these options; checked before anything runs. */
  needsFor?(config: z.output<S>): readonly TraceNeed[];
  readonly config: S;
  apply(
    traces: readonly Trace[],
    config: z.output<S>,
    context: TraceContext,
  ): readonly Trace[] | Promise<readonly Trace[]>;
}

/** Types a step from its parts; returns it unchanged. */
export function defineTraceStep<N extends string, S extends z.ZodObject>(
  step: TraceStep<N, S>,
): TraceStep<N, S> {
  return step;
}

/** Makes pairs of traces, for losses on pairs. */
export interface PairMaker<N extends string = string, S extends z.ZodObject = z.ZodObject> {
  readonly name: N;
  readonly summary: string;
  readonly reference?: string;
  /** What it needs, for these options; checked before anything runs. */
  needsFor?(config: z.output<S>): readonly TraceNeed[];
  readonly config: S;
  make(
    traces: readonly Trace[],
    config: z.output<S>,
    context: TraceContext,
  ): readonly TracePair[] | Promise<readonly TracePair[]>;
}

/** Types a maker of pairs from its parts; returns it unchanged. */
export function definePairMaker<N extends string, S extends z.ZodObject>(
  maker: PairMaker<N, S>,
): PairMaker<N, S> {
  return maker;
}
