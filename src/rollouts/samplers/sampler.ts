import type { z } from "zod";
import type { Problem, ProblemSource, Tokenizer } from "../../data/index.js";
import type { LanguageModel } from "../../models/index.js";
import type { Random } from "../../tensors/index.js";
import type { SamplingPolicy } from "../sampling-policy.js";

/** A completion of a problem, whoever wrote which of its tokens. */
export interface SampledRow {
  /** Index into the problems that were given. */
  readonly problem: number;
  /** Text of `promptIds`. Default: the problem's prompt. */
  readonly prompt?: string;
  /** What the student is trained to continue, which a hint may have been taken out of. */
  readonly promptIds: readonly number[];
  /** Ends with the end id where one was written. */
  readonly completionIds: readonly number[];
  /** False: the completion was cut off. */
  readonly finished: boolean;
  /**
   * Log-probability of every completion token under the policy that wrote it, given `promptIds`, where
   * it is the student's; 0 elsewhere (see `own`).
   */
  readonly tokenLogProbs: readonly number[];
  /**
   * For every completion token: 1 where the student wrote it from `promptIds`, 0 where somebody else did
   * (a teacher, a tool, an injected trace). There is no ratio of policies to form at a 0.
   */
  readonly own: readonly number[];
  /**
   * For every completion token 1 where it may be learned; 0 for what a tool said. Default: all.
   */
  readonly learned?: readonly number[];
  /** Who wrote it: `student`, `teacher`, `mixed`, `oracle terse`, `data`. */
  readonly source: string;
  /** Tokens that it was told to need at most, where it was told. */
  readonly budget?: number;
  /** For a completion that begins where one went wrong before: that step, and what it should have been. */
  readonly keyStep?: { readonly error: string; readonly correction: string };
  /** The prompt that its writer was shown, where that is another than `prompt`. */
  readonly shownPrompt?: string;
  /** Log-probability of every completion token under the model that wrote it, whoever it was. */
  readonly writerLogProbs?: readonly number[];
}

/** What was paid for samples, which samplers count, and for scoring and training, which trainers count. */
export interface SamplingCost {
  /** Tokens that the student wrote. */
  readonly studentTokens: number;
  /** Tokens that a teacher wrote or scored. */
  readonly teacherTokens: number;
  /** Forward passes of rows: one per row and token that is generated or scored in one pass. */
  readonly studentForwards: number;
  readonly teacherForwards: number;
}

/** The cost of nothing: every count zero. */
export const noCost: SamplingCost = {
  studentTokens: 0,
  teacherTokens: 0,
  studentForwards: 0,
  teacherForwards: 0,
};

/** What several samplings cost together: every count added up. */
export function addCosts(...costs: readonly SamplingCost[]): SamplingCost {
  const sum = (key: keyof SamplingCost) => costs.reduce((total, cost) => total + cost[key], 0);
  return {
    studentTokens: sum("studentTokens"),
    teacherTokens: sum("teacherTokens"),
    studentForwards: sum("studentForwards"),
    teacherForwards: sum("teacherForwards"),
  };
}

export interface Sampled {
  /** Rows of one problem stand together, in the order of the problems. */
  readonly rows: readonly SampledRow[];
  readonly cost: SamplingCost;
  /** What else a sampler counts, such as `vetoRate`; for logs and reports. */
  readonly measures?: Readonly<Record<string, number>>;
}

export interface SamplerContext {
  readonly problems: ProblemSource;
  readonly tokenizer: Tokenizer;
  readonly student?: LanguageModel;
  readonly teacher?: LanguageModel;
  /** How models sample. */
  readonly policy: SamplingPolicy;
  readonly maxNewTokens: number;
  /** Longest sequence, prompt and completion, where somebody who scores it reads less than the student. */
  readonly maxPositions?: number | undefined;
  readonly random: Random;
  /** Completions of a problem that were written before, for samplers that begin with them. */
  given?(problem: Problem): readonly GivenTrace[];
  /** Told of every completion that a model has ended, such as to show progress. */
  report?(completions: number): void;
}

/** A completion that was written and judged before. */
export interface GivenTrace {
  readonly completion: string;
  readonly finished: boolean;
  readonly correct: boolean;
  readonly source: string;
}

/** Whom or what a sampler can need. */
export type SamplerNeed =
  | "student"
  | "teacher"
  | "solve"
  | "checkSteps"
  | "continueFrom"
  | "respond";

/** A way to get completions of problems. A new one is one file and one line in the list. */
export interface SamplerDefinition<N extends string = string, S extends z.ZodObject = z.ZodObject> {
  /** Name in configs; the file is called the same. */
  readonly name: N;
  /** One sentence. */
  readonly summary: string;
  /** Paper and section. */
  readonly reference?: string;
  /** Whom it needs; checked before anything runs. */
  readonly needs: readonly SamplerNeed[];
  /** What it needs besides for some options. */
  needsFor?(config: z.output<S>): readonly SamplerNeed[];
  readonly config: S;
  sample(
    problems: readonly Problem[],
    config: z.output<S>,
    context: SamplerContext,
  ): Promise<Sampled>;
}

/** Types a sampler from its parts; returns it unchanged. */
export function defineSampler<N extends string, S extends z.ZodObject>(
  definition: SamplerDefinition<N, S>,
): SamplerDefinition<N, S> {
  return definition;
}
