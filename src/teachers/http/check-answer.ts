import { showValue } from "../../errors/index.js";
import type { PositionScore } from "./protocol.js";

/** An answer that does not fit the question. Repeating the question would not help. */
export class WrongAnswer extends Error {
  readonly remedy: string | undefined;

  constructor(where: string, expected: string, got: unknown, remedy?: string) {
    super(`${where}: expected ${expected}, got ${show(got)}.`);
    this.name = "WrongAnswer";
    this.remedy = remedy;
  }
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = typeof value === "string" ? value : showValue(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function asObject(value: unknown, where: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw new WrongAnswer(where, "an object", value);
}

export function asList(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw new WrongAnswer(where, "a list", value);
}

/** A list with one entry per token of the sequence. */
export function asListOf(length: number, value: unknown, where: string): readonly unknown[] {
  const list = asList(value, where);
  if (list.length === length) return list;
  throw new WrongAnswer(where, `${length} entries`, `${list.length} entries`);
}

/** A number of tokens that servers state beside an answer; absent from some versions. */
export function checkCount(value: unknown, expected: number, where: string, remedy?: string): void {
  if (value === undefined || value === null || value === expected) return;
  throw new WrongAnswer(where, `${expected} tokens`, value, remedy);
}

/** The token ids of a completion. */
export function asIds(value: unknown, vocabSize: number, where: string): number[] {
  return asList(value, where).map((id, i) => asId(id, vocabSize, `${where}, token ${i}`));
}

export function asId(value: unknown, vocabSize: number, where: string): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < vocabSize) {
    return value as number;
  }
  throw new WrongAnswer(
    where,
    `a token id below ${vocabSize}`,
    value,
    "Is it the tokenizer of the server's model? The student must have a row for each of its ids.",
  );
}

/** The token that stands at a position according to the server must be the one that was sent. */
export function checkToken(id: unknown, expected: number, where: string, remedy?: string): void {
  if (id === expected) return;
  throw new WrongAnswer(where, `token ${expected}`, `token ${show(id)}`, remedy);
}

/** Log-probabilities below it count as this much: finite, and 0 as a float32 probability. */
export const smallestLogProb = -100;

/** Rounding may put a log-probability of 1 this far above 0. */
const roundingAboveZero = 1e-4;

/** A natural logarithm of a probability; servers write −∞ as a large negative number. */
export function asLogProb(value: unknown, where: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new WrongAnswer(
      where,
      "a log-probability",
      value,
      "NaN and −∞ arrive as null: the model is broken, or has fewer possible tokens than topK.",
    );
  }
  if (value > roundingAboveZero) throw new WrongAnswer(where, "a log-probability up to 0", value);
  return Math.max(smallestLogProb, Math.min(0, value));
}

/** A token that a server lists at a position. */
export interface ListedToken {
  readonly id: number;
  readonly logProb: number;
  readonly text?: string | undefined;
}

/** How far the listed probabilities may add up to more than 1. */
const roundingAboveOne = 1e-3;

/**
 * The K likeliest tokens of a position, likeliest first.
 *
 * @param listed distinct ids of which no one that is not listed is likelier
 */
export function positionScore(
  listed: readonly ListedToken[],
  tokenLogProb: number,
  topK: number,
  where: string,
): PositionScore {
  const seen = new Set<number>();
  for (const { id } of listed) {
    if (seen.has(id)) throw new WrongAnswer(where, "each token once", `token ${id} twice`);
    seen.add(id);
  }
  if (listed.length !== topK) {
    throw new WrongAnswer(
      where,
      `the ${topK} likeliest tokens`,
      `${listed.length}`,
      listed.length < topK ? "Lower teacher.topK, or raise the server's own limit." : undefined,
    );
  }
  const sorted = [...listed].sort((a, b) => b.logProb - a.logProb || a.id - b.id);
  const mass = sorted.reduce((sum, { logProb }) => sum + Math.exp(logProb), 0);
  if (mass > 1 + roundingAboveOne) {
    throw new WrongAnswer(where, "probabilities that add up to at most 1", mass);
  }
  return {
    tokenLogProb,
    tokenIds: sorted.map(({ id }) => id),
    logProbs: sorted.map(({ logProb }) => logProb),
    ...(sorted.some(({ text }) => text !== undefined)
      ? { texts: sorted.map(({ text }) => text) }
      : {}),
  };
}

/**
 * For servers that list the token that stands at the position beside the K likeliest: without it,
 * where it is one too many.
 */
export function withoutExtraToken(
  listed: readonly ListedToken[],
  tokenId: number,
  topK: number,
  where: string,
): readonly ListedToken[] {
  if (listed.length !== topK + 1) return listed;
  const extra = listed.find(({ id }) => id === tokenId);
  const others = listed.filter(({ id }) => id !== tokenId);
  const least = Math.min(...others.map(({ logProb }) => logProb));
  if (extra === undefined || extra.logProb > least + roundingAboveZero) {
    throw new WrongAnswer(where, `the ${topK} likeliest tokens`, `${listed.length}`);
  }
  return others;
}
