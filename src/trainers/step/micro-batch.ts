import type { Batch } from "../../data/index.js";
import type { TeacherScores } from "../../teachers/index.js";
import type { ListBatch } from "./list-inputs.js";
import type { KnownRollouts } from "./rollout-inputs.js";
import type { WrittenTokens } from "./written-tokens.js";

/** The rows of one forward and backward pass. */
export interface MicroBatch {
  readonly batch: Batch;
  readonly teacher?: TeacherScores;
  /** What a frozen reference says, for terms that are held against it. */
  readonly reference?: TeacherScores;
  /** How many of the batch's first sequences the student wrote: their tokens are no ground truth. */
  readonly onPolicyRows: number;
  /** What is known of those rows from when they were sampled. */
  readonly rollouts?: KnownRollouts;
  /** Who wrote which tokens of the rows, for trainers in which others than the student write too. */
  readonly written?: WrittenTokens;
  /** The batch is pairs: the preferred answers, then in the same order the rejected ones. */
  readonly isPairs?: boolean;
  /** The batch is the candidates of these lists, for a student with a head for whole sequences. */
  readonly lists?: ListBatch;
}
