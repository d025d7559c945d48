import { PupilError } from "../../errors/index.js";
import type { Random } from "../../tensors/index.js";
import { mapRead } from "../store/map-read.js";
import type { TokenStore } from "../store/token-store.js";
import type { TokenSequence } from "../types.js";

type Windows = TokenSequence[] | Promise<TokenSequence[]>;

/** One long text as rows of equal length; they come as a promise where tokens lie on disk. */
export interface PackedText<W extends Windows = Windows> {
  readonly numTokens: number;
  /** Tokens predicted per row: rows have one id more. */
  readonly sequenceLength: number;
  /** `count` random windows: a function of (random, step) alone, so a resumed run needs no state. */
  randomWindows(random: Random, step: number, count: number): W;
  /**
   * Windows that follow each other and predict every token but the first exactly once; the last one
   * may be shorter. With `count`, that many of them, spread evenly over the text.
   */
  sequentialWindows(count?: number): W;
}

/**
 * A text as windows of `sequenceLength` tokens to train on.
 *
 * @throws PupilError if the text has not even one window.
 */
export function packText(
  ids: ArrayLike<number>,
  sequenceLength: number,
  source?: string,
): PackedText<TokenSequence[]>;
export function packText(ids: TokenStore, sequenceLength: number, source?: string): PackedText;
export function packText(
  ids: ArrayLike<number> | TokenStore,
  sequenceLength: number,
  source = "The text",
): PackedText {
  if (!(Number.isInteger(sequenceLength) && sequenceLength > 0)) {
    throw new PupilError(`must be a whole number above 0, got ${sequenceLength}.`, {
      field: "sequenceLength",
      value: sequenceLength,
    });
  }
  const tokens = "read" in ids ? ids : inMemory(ids);
  const starts = tokens.length - sequenceLength;
  if (starts < 1) {
    throw new PupilError(
      `${source} has ${tokens.length} tokens, too few for one row of ${sequenceLength}.`,
      {
        field: "data.sequenceLength",
        value: sequenceLength,
        remedy: `Give at least ${sequenceLength + 1} tokens, or shorten the rows.`,
      },
    );
  }
  const windowsAt = (positions: readonly number[]): Windows => {
    const parts = positions.map((start) =>
      tokens.read(start, Math.min(sequenceLength + 1, tokens.length - start)),
    );
    const row = (part: ArrayLike<number>) => ({ ids: Array.from(part), completionStart: 1 });
    return mapRead(parts, row);
  };
  return {
    numTokens: tokens.length,
    sequenceLength,
    randomWindows(random, step, count) {
      const stream = random.stream("windows", step);
      return windowsAt(Array.from({ length: count }, () => stream.integer(starts)));
    },
    sequentialWindows(count) {
      const total = Math.ceil((tokens.length - 1) / sequenceLength);
      const wanted = Math.min(count ?? total, total);
      return windowsAt(
        Array.from({ length: wanted }, (_, i) => Math.floor((i * total) / wanted) * sequenceLength),
      );
    },
  };
}

function inMemory(ids: ArrayLike<number>): Pick<TokenStore, "length" | "read"> {
  const tokens = Int32Array.from(ids);
  return {
    length: tokens.length,
    read: (start, count) => tokens.subarray(start, start + count),
  };
}
