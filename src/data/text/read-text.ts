import { PupilError } from "../../errors/index.js";
import type { DataFile } from "../readers/data-file.js";
import { readTextPieces } from "../readers/text-pieces.js";
import type { TokenStore } from "../store/token-store.js";
import { checkedIds } from "../tokenizers/token-ids.js";
import type { Tokenizer } from "../types.js";

export interface TextPart {
  readonly file: DataFile;
  /** From where to where, in UTF-16 units; a character is never cut in two. Default: all of it. */
  readonly start?: number;
  readonly end?: number;
}

/** The two parts of a data set. */
export interface DataSplit<T> {
  readonly train: T;
  readonly validation: T;
}

/**
 * The first `1 - validationFraction` of a text for training and the rest for evaluation, counted in
 * UTF-16 units. With 0.1 this is nanoGPT's split.
 *
 * @throws PupilError if there is no text
 */
export async function splitText(
  file: DataFile,
  validationFraction: number,
): Promise<DataSplit<TextPart>> {
  let length = 0;
  let isBlank = true;
  for await (const piece of readTextPieces(file)) {
    length += piece.length;
    isBlank &&= piece.trim() === "";
  }
  if (isBlank) throw noText(file, length);
  const cut = cutAt(length, validationFraction);
  return { train: { file, end: cut }, validation: { file, start: cut } };
}

/** The number of the first `1 - validationFraction` of `size` rows, each part getting at least one. */
export function splitRows(size: number, validationFraction: number, source: string): number {
  if (size < 2) {
    throw new PupilError(`there is only ${size} row, too few to keep some for evaluation.`, {
      field: source,
      value: size,
      remedy: "Add rows, or give a validationPath.",
    });
  }
  return Math.min(Math.max(cutAt(size, validationFraction), 1), size - 1);
}

/** The text of a part in pieces, without a leading byte order mark. */
export async function* readTextPart({
  file,
  start = 0,
  end = Number.POSITIVE_INFINITY,
}: TextPart): AsyncGenerator<string, void> {
  let position = 0;
  let isBlank = true;
  for await (const piece of readTextPieces(file)) {
    const from = border(piece, start - position);
    const text = piece.slice(from, border(piece, end - position));
    position += piece.length;
    isBlank &&= piece.trim() === "";
    if (text !== "") yield text;
    if (position > end) return;
  }
  if (isBlank) throw noText(file, position);
}

/** Texts longer than this are encoded in pieces. */
const pieceLength = 4 * 1024 * 1024;

/**
 * Appends the ids of a part to a store. Long texts are encoded in pieces of about 4 million
 * characters that end at a single line end between two words, where tokenizers begin a new token.
 */
export async function storeText(
  part: TextPart,
  tokenizer: Tokenizer,
  store: TokenStore,
  longest = pieceLength,
): Promise<void> {
  let rest = "";
  for await (const piece of readTextPart(part)) {
    rest += piece;
    if (rest.length < longest) continue;
    const cut = lastLineEnd(rest);
    await store.append(encodeOf(part, tokenizer, rest.slice(0, cut)));
    rest = rest.slice(cut);
  }
  if (rest !== "") await store.append(encodeOf(part, tokenizer, rest));
}

/** @throws PupilError naming the file, for a text that the tokenizer cannot write */
function encodeOf({ file }: TextPart, tokenizer: Tokenizer, text: string): number[] {
  try {
    return checkedIds(tokenizer.encode(text), tokenizer);
  } catch (cause) {
    if (!(cause instanceof PupilError)) throw cause;
    throw new PupilError(cause.message, { field: file.name, value: cause.value, cause });
  }
}

/** The position after the last line end that has no white space on either side; 0 without one. */
function lastLineEnd(text: string): number {
  for (let at = text.lastIndexOf("\n"); at > 0; at = text.lastIndexOf("\n", at - 1)) {
    if (/^\S\n\S$/.test(text.slice(at - 1, at + 2))) return at + 1;
  }
  return 0;
}

/** A position inside a piece, moved behind a character that it would cut. */
function border(piece: string, position: number): number {
  const at = Math.min(Math.max(position, 0), piece.length);
  const isInsidePair = /[\ud800-\udbff]/.test(piece.charAt(at - 1));
  return isInsidePair && /[\udc00-\udfff]/.test(piece.charAt(at)) ? at + 1 : at;
}

function noText(file: DataFile, length: number): PupilError {
  const problem = length === 0 ? "is empty." : "has nothing but white space.";
  return new PupilError(problem, { field: file.name, remedy: "Give a file with text." });
}

function cutAt(length: number, validationFraction: number): number {
  if (!(validationFraction > 0 && validationFraction < 1)) {
    throw new PupilError(`must lie between 0 and 1, got ${validationFraction}.`, {
      field: "validationFraction",
      value: validationFraction,
    });
  }
  return Math.floor(length * (1 - validationFraction));
}
