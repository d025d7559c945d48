import { z } from "zod";
import { PupilError } from "../../errors/index.js";
import type { Random } from "../../tensors/index.js";
import { hashFraction } from "../hash.js";
import type { RerankList } from "../rerank/rerank-lists.js";

/**
 * Which problems may occur: `train` and `heldOut` share their lengths and split the problems by a
 * hash; `longer` problems are longer than any of both.
 */
export type TaskSplit = "train" | "heldOut" | "longer";
/** Splits of a task: problems to train on, held-out ones, and longer ones than were trained on. */
export const taskSplits: readonly TaskSplit[] = ["train", "heldOut", "longer"];

export interface Verification {
  /** The final answer is right. Nothing else is judged: a wrong step with a right answer passes. */
  readonly correct: boolean;
  /** The final answer as read from the completion; undefined where it does not end in one. */
  readonly answer: string | undefined;
  /** The whole completion is what the oracle writes without errors, in any style. */
  readonly traceCorrect: boolean;
}

/**
 * A synthetic task with exact answers. Problems are plain JSON values; everything here is a pure
 * function, and randomness comes only from the stream that is passed in.
 */
export interface TaskDefinition<
  N extends string = string,
  P = unknown,
  S extends z.ZodObject = z.ZodObject,
> {
  /** Name in configs, logs and docs; the file is called the same. */
  readonly name: N;
  /** One sentence. */
  readonly summary: string;
  /** Options with defaults, every field described; contains `errorRate` and `heldOutFraction`. */
  readonly config: S;
  /** Every character that prompts and completions can have, in a fixed order. */
  alphabet(config: z.output<S>): string;
  /** A random problem of a split. */
  generate(config: z.output<S>, split: TaskSplit, random: Random): P;
  /** The one split that a problem belongs to, decided by the problem alone. */
  splitOf(problem: P, config: z.output<S>): TaskSplit;
  prompt(problem: P): string;
  answer(problem: P): string;
  /** A worked solution in the configured style, or one of them; wrong with probability `errorRate`. */
  oracle(problem: P, config: z.output<S>, random: Random): string;
  /** Judges a completion (without its end token) by its final answer. */
  verify(problem: P, completion: string): Verification;
  /** What a teacher may be shown and the student never is; undefined where nothing is hidden. */
  hidden?(problem: P, config: z.output<S>): string | undefined;
  /** Judges every step of a completion, in any style, in their order; steps do not overlap. */
  checkSteps?(problem: P, completion: string): readonly StepJudgement[];
  /**
   * The rest of a right solution that begins with `prefix`, which ends with a right step or between
   * two: `prefix` and it together end in the right answer.
   */
  continueFrom?(problem: P, prefix: string, config: z.output<S>, random: Random): string;
  /** What the world answers to an action that the completion ends with; undefined where it ends with none. */
  respond?(problem: P, completion: string): string | undefined;
  /** The problem as passages to score, for tasks that are about ranking. */
  list?(problem: P): RerankList;
  /**
   * The question turned round, in characters of the alphabet: given the answer, something that was given
   * is asked for. Undefined for problems in which nothing can be found in a single way.
   */
  backward?(
    problem: P,
    random: Random,
  ): { readonly prompt: string; readonly answer: string; readonly completion: string } | undefined;
}

/** A step of a completion, as a part of its text. */
export interface StepJudgement {
  /** Characters `start` to `end` (exclusive) of the completion. */
  readonly start: number;
  readonly end: number;
  /** Follows rightly from the problem and the right steps before it. */
  readonly correct: boolean;
}

/** Types a definition from its parts; returns it unchanged. */
export function defineTask<N extends string, P, S extends z.ZodObject>(
  definition: TaskDefinition<N, P, S>,
): TaskDefinition<N, P, S> {
  return definition;
}

/** Config fields that every task has. */
export const commonTaskFields = {
  errorRate: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      "Share of oracle traces with one wrong step that is carried on to a wrong final answer.",
    ),
  heldOutFraction: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.1)
    .describe("Share of the problems, chosen by hash, that never occur in training."),
  longerBy: z
    .int()
    .min(1)
    .default(1)
    .describe("How much longer than the longest training problem the `longer` split goes."),
};

/** The field `style` of a task: one way of writing, or several of which every trace draws one. */
export function styleField<S extends string>(styles: readonly S[], fallback: NoInfer<S>) {
  const style = z.enum(styles);
  return z.union([style, z.array(style).min(1)]).default(() => fallback as never);
}

/** The style of one trace. */
export function drawStyle<S extends string>(style: S | readonly S[], random: Random): S {
  return typeof style === "string" ? style : random.pick(style);
}

/**
 * The split of a problem: `longer` where it is longer than training ever is, otherwise by a hash of
 * `canonical`, a text that problems share exactly when they must not be separated.
 */
export function assignSplit(
  isLonger: boolean,
  canonical: string,
  heldOutFraction: number,
): TaskSplit {
  if (isLonger) return "longer";
  return hashFraction(canonical) < heldOutFraction ? "heldOut" : "train";
}

/** How long a problem of a split is: from `least` to `most`, or up to `longerBy` more than that. */
export function drawLength(
  split: TaskSplit,
  [least, most]: readonly [least: number, most: number],
  longerBy: number,
  random: Random,
): number {
  if (split === "longer") return most + 1 + random.integer(longerBy);
  return least + random.integer(most - least + 1);
}

const maxAttempts = 20_000;

/** Draws problems until one belongs to the split. */
export function drawFromSplit<P>(
  split: TaskSplit,
  draw: () => P,
  splitOf: (problem: P) => TaskSplit,
): P {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const problem = draw();
    if (splitOf(problem) === split) return problem;
  }
  throw new PupilError(`found no problem of the split "${split}" in ${maxAttempts} draws.`, {
    field: "task",
    remedy: "Allow longer problems or change heldOutFraction, so that the split is not empty.",
  });
}
