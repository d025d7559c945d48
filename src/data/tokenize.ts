import { PupilError } from "../errors/index.js";
import type { Example, TokenSequence, Tokenizer } from "./types.js";

/** The ids a student sees before it writes: the start ids, then the prompt. */
export function encodePrompt(tokenizer: Tokenizer, prompt: string): number[] {
  return [...tokenizer.startIds, ...tokenizer.encode(prompt)];
}

export interface TokenizeOptions {
  /** Most ids of a row, its start and end ids included. The batch is one shorter. Default: no limit. */
  readonly maxLength?: number | undefined;
}

/**
 * Ids of the prompt, of the completion and, if the tokenizer has one, the end id.
 *
 * The prompt's ids are always those of `encodePrompt`, as at generation. The completion is encoded
 * together with the prompt where that leaves the prompt's ids unchanged, which gives the
 * usual tokens at the seam, and separately where it does not.
 *
 * @throws PupilError if the row is longer than `maxLength`. `tokenizeExamples` has other policies.
 */
export function tokenizeExample(
  tokenizer: Tokenizer,
  example: Example,
  options: TokenizeOptions = {},
): TokenSequence {
  const sequence = encodeExample(tokenizer, example);
  const maxLength = checkedLength(options.maxLength);
  if (sequence.ids.length > maxLength) throw tooLong(sequence, maxLength, "The row");
  return sequence;
}

export const longRowPolicies = ["truncate", "drop", "error"] as const;
export type LongRowPolicy = (typeof longRowPolicies)[number];

export interface TokenizeReport {
  /** Rows given. */
  readonly rows: number;
  /** Rows returned, truncated ones included. */
  readonly kept: number;
  readonly truncated: number;
  readonly dropped: number;
  /** Ids in the rows returned. */
  readonly tokens: number;
  /** Those of them that are learned. */
  readonly completionTokens: number;
  /** Ids cut off truncated rows. */
  readonly tokensCutOff: number;
  /** Ids of the longest row given. */
  readonly longest: number;
}

export interface TokenizedExamples {
  readonly sequences: TokenSequence[];
  /** For each sequence the index of its example. */
  readonly indices: number[];
  readonly report: TokenizeReport;
}

/**
 * Tokenizes rows and counts what happened to the ones longer than `maxLength`:
 * - "truncate" cuts the end of the completion (and with it the end id); a row whose prompt leaves
 *   no room for a completion token is dropped.
 * - "drop" leaves the row out.
 * - "error" throws a PupilError that names the row.
 *
 * @throws PupilError if no row is left, or naming the row whose text has no ids.
 */
export function tokenizeExamples(
  tokenizer: Tokenizer,
  examples: readonly Example[],
  options: TokenizeOptions & { readonly longRows: LongRowPolicy },
): TokenizedExamples {
  const maxLength = checkedLength(options.maxLength);
  const sequences: TokenSequence[] = [];
  const indices: number[] = [];
  const counts = { truncated: 0, dropped: 0, tokens: 0, completionTokens: 0, tokensCutOff: 0 };
  let longest = 0;
  for (const [index, example] of examples.entries()) {
    let sequence = encodeRow(tokenizer, example, index);
    const length = sequence.ids.length;
    longest = Math.max(longest, length);
    if (length > maxLength) {
      if (options.longRows === "error") throw tooLong(sequence, maxLength, `Row ${index + 1}`);
      if (options.longRows === "drop" || sequence.completionStart >= maxLength) {
        counts.dropped += 1;
        continue;
      }
      counts.truncated += 1;
      counts.tokensCutOff += length - maxLength;
      sequence = { ...sequence, ids: sequence.ids.slice(0, maxLength) };
    }
    counts.tokens += sequence.ids.length;
    counts.completionTokens += sequence.ids.length - sequence.completionStart;
    sequences.push(sequence);
    indices.push(index);
  }
  if (sequences.length === 0) {
    throw new PupilError(`None of the ${examples.length} rows fits into ${maxLength} tokens.`, {
      field: "maxLength",
      value: options.maxLength,
      remedy: `The longest has ${longest}: allow longer rows or shorten the prompts.`,
    });
  }
  const report = { rows: examples.length, kept: sequences.length, ...counts, longest };
  return { sequences, indices, report };
}

function encodeExample(tokenizer: Tokenizer, { prompt, completion }: Example): TokenSequence {
  const promptIds = encodePrompt(tokenizer, prompt);
  const joint = encodePrompt(tokenizer, prompt + completion);
  const isPrefix = promptIds.every((id, i) => joint[i] === id);
  const ids = isPrefix ? joint : [...promptIds, ...tokenizer.encode(completion)];
  const endId = tokenizer.endIds[0];
  if (endId !== undefined) ids.push(endId);
  // The first id of all is never predicted, even where the prompt is empty.
  return { ids, completionStart: Math.max(1, promptIds.length) };
}

function encodeRow(tokenizer: Tokenizer, example: Example, index: number): TokenSequence {
  try {
    return encodeExample(tokenizer, example);
  } catch (cause) {
    if (!(cause instanceof PupilError)) throw cause;
    throw new PupilError(cause.message, { field: `row ${index + 1}`, value: cause.value, cause });
  }
}

function checkedLength(maxLength = Number.POSITIVE_INFINITY): number {
  if (maxLength >= 2) return maxLength;
  throw new Error(`maxLength must be at least 2, got ${maxLength}.`);
}

function tooLong({ ids, completionStart }: TokenSequence, maxLength: number, row: string) {
  return new PupilError(
    `${row} has ${ids.length} tokens (${completionStart} of them the prompt), more than ${maxLength}.`,
    {
      field: "maxLength",
      value: maxLength,
      remedy:
        'Shorten it, take a model with a longer context, or set longRows to "truncate" or "drop".',
    },
  );
}
