import { PupilError } from "../../errors/index.js";
import type { Tokenizer } from "../types.js";
import { mapPositions } from "./map-positions.js";

/** The part of a tokenizer that alignment needs. */
export type TokenBytes = Pick<Tokenizer, "tokenBytes">;

/** The bytes of ids, joined. They need not be UTF-8: a sampled row may end inside a character. */
export function bytesOfTokens(tokenizer: TokenBytes, ids: readonly number[]): Uint8Array {
  const parts = ids.map((id) => tokenizer.tokenBytes(id));
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/**
 * Where each token of a text ends, in bytes of its UTF-8; the next token begins there. A token
 * without bytes (a special token, or the space that some vocabularies put before a text) ends where
 * it begins.
 *
 * `noPosition` stands where the end lies inside a character that the tokenizer changed (case,
 * accents, composition), or that was no UTF-8. White space that a tokenizer drops belongs to the
 * token after it. From where ids and text have nothing in common any more, only the last end is
 * known.
 *
 * @param ids tokens of `text`, or sampled ones with `text = decode(ids)`
 */
export function tokenEnds(tokenizer: TokenBytes, ids: readonly number[], text: string): Int32Array {
  const bytes = bytesOfTokens(tokenizer, ids);
  const toText = positionsIn(new TextEncoder().encode(text), bytes);
  let end = 0;
  return Int32Array.from(ids, (id) => {
    end += tokenizer.tokenBytes(id).length;
    return toText(end);
  });
}

/**
 * Start and end of every token in a text, in bytes; see `tokenEnds`.
 *
 * @throws PupilError naming the first token whose end is not a place in the text
 */
export function tokenOffsets(
  tokenizer: TokenBytes,
  ids: readonly number[],
  text: string,
): { starts: Int32Array; ends: Int32Array } {
  const ends = tokenEnds(tokenizer, ids, text);
  const unknown = ends.findIndex((end) => end < 0);
  if (unknown >= 0) {
    throw new PupilError(`Token ${unknown} (id ${ids[unknown]}) ends inside a changed character.`, {
      value: text.slice(0, 60),
      remedy: "The tokenizer changes this text: take the offsets in what it decodes to.",
    });
  }
  const starts = new Int32Array(ids.length);
  starts.set(ends.subarray(0, -1), 1);
  return { starts, ends };
}

/** Maps positions in the bytes of the tokens to positions in the text. */
function positionsIn(text: Uint8Array, bytes: Uint8Array): (position: number) => number {
  const extra = bytes.length - text.length;
  const isSame = () => text.every((byte, i) => bytes[extra + i] === byte);
  if (extra === 0 && isSame()) return (position) => position;
  // The space that SentencePiece and WordPiece put before the first word.
  if (extra === 1 && bytes[0] === 0x20 && isSame()) return (position) => Math.max(0, position - 1);
  const positions = mapPositions(bytes, text);
  return (position) => positions[position] as number;
}
