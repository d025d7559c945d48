import type { TokenSequence } from "../data/index.js";

/**
 * Training rows as a function of the step, not as a stream with a position: a resumed run asks for
 * step 700 and gets what the uninterrupted run got.
 */
export interface TrainingData {
  /**
   * Rows of one epoch, where there are epochs: `rows` then goes through all of them before any comes
   * again. Absent for endless data.
   */
  readonly size?: number;
  /** The `count` rows of optimizer step `step` (from 0); a promise where they lie on disk. */
  rows(step: number, count: number): readonly TokenSequence[] | Promise<readonly TokenSequence[]>;
  /** The part of a row that a student is given when it samples the rest itself. */
  promptOf(row: TokenSequence): readonly number[];
}
