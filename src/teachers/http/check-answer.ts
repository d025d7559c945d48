import { PupilError, showValue } from "../../errors/index.js";
import type { Conceal } from "./conceal.js";
import type { PositionScore } from "./protocol.js";

/** An answer that does not fit the question. Repeating the question would not help. */
export class WrongAnswer extends Error {
  readonly remedy: string | undefined;
  readonly #parts: readonly [where: string, expected: string, got: string];

  constructor(where: string, expected: string, got: unknown, remedy?: string) {
    super("A wrong answer; describe() says it without a key.");
    this.name = "WrongAnswer";
    this.remedy = remedy;
    this.#parts = [where, expected, show(got)];
  }

  /** What is wrong; the key is hidden before anything is cut, which could leave a part of it. */
  describe(conceal: Conceal): string {
    const [where, expected, got] = this.#parts.map((part) => cut(conceal(part)));
    return `${where}: expected ${expected}, got ${got}.`;
  }
}

/** A wrong answer as an error that a user can act on; any other error as it is. */
export function explainWrongAnswer(
  error: unknown,
  what: string,
  { url, conceal }: { readonly url: string; readonly conceal: Conceal },
): unknown {
  if (!(error instanceof WrongAnswer)) return error;
  const { remedy } = error;
  return new PupilError(`${what}: ${error.describe(conceal)}`, {
    field: url,
    ...(remedy === undefined ? {} : { remedy }),
  });
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  // Whole, since a key may stand where it would be cut.
  return typeof value === "string" ? value : showValue(value, Number.POSITIVE_INFINITY);
}

function cut(text: string): string {
  return text.length > 160 ? `${text.slice(0, 157)}...` : text;
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

/** The one choice of an answer: with several there is no telling which was meant. */
export function onlyChoice(choices: unknown): JsonObject {
  const list = asList(choices, "choices");
  if (list.length !== 1) throw new WrongAnswer("choices", "1 entry", `${list.length} entries`);
  const choice = asObject(list[0], "choices[0]");
  if (choice.index !== undefined && choice.index !== 0) {
    throw new WrongAnswer("choices[0].index", "0", choice.index);
  }
  return choice;
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

/** How far the same number may be off where it is written twice, in another precision. */
function printedPrecision(logProb: number): number {
  return 1e-3 * Math.max(1, Math.abs(logProb));
}

const otherPosition =
  "The list and the token's own log-probability are not about the same position: update the server, or look for an option that changes one of the two (such as logits processors or --logprobs-mode).";

/**
 * What a server says about a token and about the likeliest ones at its position must be about the same
 * distribution: the same number where the token is listed, at most the least of the list where it is
 * not, and probabilities that add up to at most 1. A list that belongs to another position shows here.
 */
export function checkAgreement(
  listed: readonly ListedToken[],
  tokenId: number,
  tokenLogProb: number,
  where: string,
): void {
  const own = listed.find(({ id }) => id === tokenId);
  if (own !== undefined && Math.abs(own.logProb - tokenLogProb) > printedPrecision(own.logProb)) {
    throw new WrongAnswer(
      where,
      `the log-probability ${tokenLogProb} of token ${tokenId} also in the list of the likeliest`,
      own.logProb,
      otherPosition,
    );
  }
  const least = Math.min(...listed.map(({ logProb }) => logProb));
  if (own === undefined && tokenLogProb > least + printedPrecision(least)) {
    throw new WrongAnswer(
      where,
      `token ${tokenId} with log-probability ${tokenLogProb} among the likeliest`,
      `a list without it that goes down to ${least}`,
      otherPosition,
    );
  }
  const unlisted = own === undefined ? Math.exp(tokenLogProb) : 0;
  const mass = listed.reduce((sum, { logProb }) => sum + Math.exp(logProb), unlisted);
  if (mass > 1 + roundingAboveOne) {
    throw new WrongAnswer(where, "probabilities that add up to at most 1", mass, otherPosition);
  }
}

/**
 * The K likeliest tokens of a position, likeliest first, checked against each other and against the
 * token that stands there.
 *
 * @param listed distinct ids of which no one that is not listed is likelier
 */
export function positionScore(
  listed: readonly ListedToken[],
  tokenId: number,
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
  checkAgreement(listed, tokenId, tokenLogProb, where);
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
