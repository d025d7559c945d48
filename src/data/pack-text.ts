import { PupilError } from "../errors/index.js";
import type { Random } from "../tensors/index.js";
import type { TokenSequence } from "./types.js";

/** One long text as rows of equal length. */
export interface PackedText {
  readonly numTokens: number;
  /** Tokens predicted per row: rows have one id more. */
  readonly sequenceLength: number;
  /** `count` random windows: a function of (random, step) alone, so a resumed run needs no state. */
  randomWindows(random: Random, step: number, count: number): TokenSequence[];
  /**
   * Windows that follow each other and predict every token but the first exactly once; the last one
   * may be shorter. With `count`, that many of them, spread evenly over the text.
   */
  sequentialWindows(count?: number): TokenSequence[];
}

/** @throws PupilError if the text has not even one window. */
export function packText(
  ids: ArrayLike<number>,
  sequenceLength: number,
  source = "The text",
): PackedText {
  if (!(Number.isInteger(sequenceLength) && sequenceLength > 0)) {
    throw new Error(`sequenceLength must be a whole number above 0, got ${sequenceLength}.`);
  }
  const tokens = Int32Array.from(ids);
  const starts = tokens.length - sequenceLength;
  if (starts < 1) {
    throw new PupilError(
      `${source} has ${tokens.length} tokens, too few for one row of ${sequenceLength}.`,
      {
        field: "sequenceLength",
        value: sequenceLength,
        remedy: `Give at least ${sequenceLength + 1} tokens, or shorten the rows.`,
      },
    );
  }
  const windowAt = (start: number): TokenSequence => ({
    ids: Array.from(tokens.subarray(start, start + sequenceLength + 1)),
    completionStart: 1,
  });
  return {
    numTokens: tokens.length,
    sequenceLength,
    randomWindows(random, step, count) {
      const stream = random.stream("windows", step);
      return Array.from({ length: count }, () => windowAt(stream.integer(starts)));
    },
    sequentialWindows(count) {
      const total = Math.ceil((tokens.length - 1) / sequenceLength);
      const wanted = Math.min(count ?? total, total);
      return Array.from({ length: wanted }, (_, i) =>
        windowAt(Math.floor((i * total) / wanted) * sequenceLength),
      );
    },
  };
}
