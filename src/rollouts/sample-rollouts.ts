import type { LanguageModel } from "../models/index.js";
import type { Random } from "../tensors/index.js";
import type { SamplingPolicy } from "./sampling-policy.js";

/** A prompt and what the model wrote after it. */
export interface Rollout {
  readonly promptIds: readonly number[];
  /** Ends with the end id if one was sampled. */
  readonly completionIds: readonly number[];
  /** Log-probability of every completion token, of the whole distribution at temperature 1. */
  readonly tokenLogProbs: readonly number[];
  /** Whether an end id was sampled; false means it was cut off. */
  readonly finished: boolean;
}

export interface SampleRolloutsOptions {
  readonly model: LanguageModel;
  readonly prompts: readonly (readonly number[])[];
  /** Any of these ends a completion. */
  readonly endIds: readonly number[];
  /** Fills rows; it may equal an end id. */
  readonly padId: number;
  readonly maxNewTokens: number;
  readonly policy: SamplingPolicy;
  readonly random: Random;
  /** Names of the rows for the noise; by default their index. */
  readonly sequenceIds?: readonly number[];
}

export async function sampleRollouts(_options: SampleRolloutsOptions): Promise<Rollout[]> {
  throw new Error("In progress.");
}
