import type { TokenSequence } from "../types.js";

/** A tokenized row as it is stored. */
export interface StoredRow extends TokenSequence {
  /** The final answer, where the row has one. */
  readonly answer?: string;
}

/**
 * A row as whole numbers from 0 to 65535, except for the token ids themselves: six lengths (two
 * numbers each), the ids, those of the shown prompt, `learned` as bits where the row has it, then
 * answer and name as UTF-16.
 */
export function encodeRow(row: StoredRow): number[] {
  const { ids, completionStart, shownPrompt, learned, answer, id } = row;
  // A length of 0 says that there is none; a text and a shown prompt are one longer than what they have.
  const counts = [
    ids.length,
    completionStart,
    learned?.length ?? 0,
    lengthOf(answer),
    lengthOf(id),
    lengthOf(shownPrompt),
  ];
  const words = counts.flatMap((count) => [count & 0xffff, count >>> 16]);
  for (const token of [...ids, ...(shownPrompt ?? [])]) words.push(token);
  if (learned !== undefined) words.push(...packBits(learned));
  for (const text of [answer, id]) {
    for (let i = 0; i < (text?.length ?? 0); i++) words.push((text as string).charCodeAt(i));
  }
  return words;
}

export function decodeRow(words: ArrayLike<number>): StoredRow {
  const count = (i: number) => (words[2 * i] as number) + ((words[2 * i + 1] as number) << 16);
  let at = 12;
  const take = (length: number): number[] => {
    const part = Array.from({ length }, (_, i) => words[at + i] as number);
    at += length;
    return part;
  };
  const ids = take(count(0));
  const shownPrompt = count(5) === 0 ? undefined : take(count(5) - 1);
  const learned = unpackBits(take(Math.ceil(count(2) / 16)), count(2));
  const text = (length: number): string | undefined =>
    length === 0
      ? undefined
      : take(length - 1)
          .map((unit) => String.fromCharCode(unit))
          .join("");
  const answer = text(count(3));
  const id = text(count(4));
  return {
    ids,
    completionStart: count(1),
    ...(shownPrompt === undefined ? {} : { shownPrompt }),
    ...(learned.length === 0 ? {} : { learned }),
    ...(answer === undefined ? {} : { answer }),
    ...(id === undefined ? {} : { id }),
  };
}

function lengthOf(part: { readonly length: number } | undefined): number {
  return part === undefined ? 0 : part.length + 1;
}

function packBits(bits: readonly number[]): number[] {
  const words = Array.from({ length: Math.ceil(bits.length / 16) }, () => 0);
  for (const [i, bit] of bits.entries()) {
    const word = Math.floor(i / 16);
    words[word] = (words[word] as number) | (bit << (i % 16));
  }
  return words;
}

function unpackBits(words: readonly number[], length: number): number[] {
  return Array.from({ length }, (_, i) => ((words[Math.floor(i / 16)] as number) >>> (i % 16)) & 1);
}
