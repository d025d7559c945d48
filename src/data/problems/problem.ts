import type { Random } from "../../tensors/index.js";
import type { StepJudgement, TaskSplit, Verification } from "../tasks/define.js";

export type { StepJudgement };

/** A question with one right answer, from a task or from a row of a file. */
export interface Problem {
  /** The same for the same problem, such as `gsm8k.jsonl:3`; for messages and for pairing. */
  readonly id: string;
  readonly prompt: string;
  readonly answer: string;
  /** A worked solution that the data gives; it ends with the answer. */
  readonly completion?: string;
  /** What a teacher may be shown beside the prompt and the student never is. */
  readonly hidden?: string;
  /** The task's own form of the problem, a JSON value; undefined for rows of files. */
  readonly value?: unknown;
}

/** Changes of a task's options for one solution: `{style: "terse", errorRate: 0.2}`. */
export type SolveOptions = Readonly<Record<string, unknown>>;

/**
 * Where problems come from and who judges what is written about them. Everything is a pure function of
 * its arguments; what only some sources can do is optional, and whoever needs it says so in an error.
 */
export interface ProblemSource {
  /** For messages: `task multiplication`, `gsm8k.jsonl`. */
  readonly name: string;
  /** Every character that prompts and completions can have, for tasks. */
  readonly alphabet?: string;
  /** The styles in which it solves, from the most wordy to the tersest, for sources that have several. */
  readonly styles?: readonly string[];
  /** How many problems a split has; undefined: endless. */
  size(split: TaskSplit): number | undefined;
  /** Problem `index` of the random sequence of a split. A finite split starts again at its end. */
  problem(split: TaskSplit, index: number, random: Random): Problem;
  /** Judges a completion by its final answer. */
  verify(problem: Problem, completion: string): Verification;
  /**
   * A worked solution by rule.
   *
   * @throws PupilError for options that the task does not have
   */
  solve?(problem: Problem, options: SolveOptions, random: Random): string;
  /** Judges every step of a completion, in any style of the task. */
  checkSteps?(problem: Problem, completion: string): readonly StepJudgement[];
  /** The rest of a right solution that begins with `prefix`, which ends with a right step. */
  continueFrom?(problem: Problem, prefix: string, options: SolveOptions, random: Random): string;
  /** What the world answers to an action that the completion ends with; undefined where it ends with none. */
  respond?(problem: Problem, completion: string): string | undefined;
  /**
   * The question turned round: given the answer, something that was given is asked for. Undefined for
   * problems in which nothing can be found in a single way.
   */
  backward?(problem: Problem, random: Random): BackwardProblem | undefined;
}

/** A question turned round, with its solution. */
export interface BackwardProblem {
  readonly prompt: string;
  readonly answer: string;
  readonly completion: string;
}

/** The problems that a training goes through. */
export interface TrainingProblems {
  readonly source: ProblemSource;
  /** The `count` problems of optimizer step `step` (from 0). */
  problems(step: number, count: number): readonly Problem[] | Promise<readonly Problem[]>;
}
