import type { z } from "zod";
import type { Problem, ProblemSource, Tokenizer, Verification } from "../../data/index.js";
import type { SampledRow } from "../samplers/index.js";

/** A completion as rewards see it. */
export interface RewardRow {
  readonly problem: Problem;
  /** Text of what the student was given. */
  readonly prompt: string;
  /** Its text, without special tokens. */
  readonly completion: string;
  /** Tokens of the completion, its end token included. */
  readonly length: number;
  /** What the source of the problems says of it. */
  readonly verification: Verification;
  readonly sampled: SampledRow;
  /** Log-probabilities of the tokens that the reward asked about, in the order of its questions. */
  readonly answers: readonly (readonly number[])[];
}

/** Tokens whose log-probabilities a reward wants to know. */
export interface LikelihoodQuestion {
  /** Who is asked: the model that is trained, as it is at this step, or the frozen teacher. */
  readonly model: "student" | "teacher";
  readonly promptIds: readonly number[];
  readonly completionIds: readonly number[];
  /** Of the softmax. Above 1 it flattens. */
  readonly temperature: number;
}

export interface RewardContext {
  readonly problems: ProblemSource;
  readonly tokenizer: Tokenizer;
  /** Longest completion that the student may write. */
  readonly maxNewTokens: number;
}

/** What a reward cannot do without; checked before anything runs. */
export const rewardNeeds = ["teacher", "checkSteps", "keyStep", "budget"] as const;
export type RewardNeed = (typeof rewardNeeds)[number];

/** What a completion is worth, as one number. A new one is one file and one line in the list. */
export interface RewardDefinition<N extends string = string, S extends z.ZodObject = z.ZodObject> {
  /** Name in configs and logs; the file is called the same. */
  readonly name: N;
  /** One sentence. */
  readonly summary: string;
  /** Paper and section, or URL. */
  readonly reference: string;
  readonly needs: readonly RewardNeed[];
  /** What it needs besides with these options. */
  needsFor?(config: z.output<S>): readonly RewardNeed[];
  /** Options with defaults, every field described. */
  readonly config: S;
  /** What to ask models about a row before it is valued: all rows are asked about together. */
  ask?(
    row: Omit<RewardRow, "answers">,
    config: z.output<S>,
    context: RewardContext,
  ): readonly LikelihoodQuestion[];
  /** A finite number; higher is better. A pure function. */
  evaluate(row: RewardRow, config: z.output<S>, context: RewardContext): number;
}

/** Types a reward from its parts; returns it unchanged. */
export function defineReward<N extends string, S extends z.ZodObject>(
  definition: RewardDefinition<N, S>,
): RewardDefinition<N, S> {
  return definition;
}
