import { PupilError } from "../../errors/index.js";
import type { Example, TokenSequence, Tokenizer } from "../types.js";
import { decodeCompletion } from "./decode-completion.js";

/** The ids a student sees before it writes: the start ids, then the prompt. */
export function encodePrompt(tokenizer: Tokenizer, prompt: string): number[] {
  return [...tokenizer.startIds, ...tokenizer.encode(prompt)];
}

export interface TokenizeOptions {
  /** Most ids of a row, its start and end ids included. The batch is one shorter. Default: no limit. */
  readonly maxLength?: number | undefined;
}

/**
 * Ids of the prompt, of the completion and, if the tokenizer has one and the completion was not cut
 * off, the end id.
 *
 * The prompt's ids are always those of `encodePrompt`, as at generation. The completion is encoded
 * together with the prompt where that leaves the prompt's ids unchanged, which gives the
 * usual tokens at the seam, and separately where it does not.
 *
 * @throws PupilError if the row is longer than `maxLength`. `rowTokenizer` has other policies.
 */
export function tokenizeExample(
  tokenizer: Tokenizer,
  example: Example,
  options: TokenizeOptions = {},
): TokenSequence {
  const sequence = encodeExample(tokenizer, example);
  checkLength(sequence, options.maxLength, "The row");
  return sequence;
}

/** `tokenizeExample` without a limit. */
export function encodeExample(
  tokenizer: Tokenizer,
  { prompt, completion, finished, unlearned = [] }: Example,
): TokenSequence {
  const promptIds = encodePrompt(tokenizer, prompt);
  const joint = encodePrompt(tokenizer, prompt + completion);
  const isPrefix = promptIds.every((id, i) => joint[i] === id);
  const ids = isPrefix ? joint : [...promptIds, ...tokenizer.encode(completion)];
  const endId = tokenizer.endIds[0];
  if (endId !== undefined && finished !== false) ids.push(endId);
  // The first id of all is never predicted, even where the prompt is empty.
  const sequence = { ids, completionStart: Math.max(1, promptIds.length) };
  if (unlearned.length === 0) return sequence;
  return { ...sequence, learned: learnedIds(tokenizer, sequence, unlearned) };
}

/** For each id 1 where it is of the completion and reaches into none of the parts. */
function learnedIds(
  tokenizer: Tokenizer,
  { ids, completionStart }: TokenSequence,
  unlearned: readonly (readonly [number, number])[],
): number[] {
  const promptIds = ids.slice(0, completionStart);
  let start = 0;
  return ids.map((_, i) => {
    if (i < completionStart) return 0;
    const written = ids.slice(completionStart, i + 1);
    const end = Math.max(start, decodeCompletion(tokenizer, promptIds, written).length);
    const isRead = unlearned.some(([from, to]) => start < to && Math.max(end, start + 1) > from);
    const isEnd = end === start;
    start = end;
    return isRead && !isEnd ? 0 : 1;
  });
}

/** @throws PupilError for a row of more than `maxLength` ids */
export function checkLength(
  { ids, completionStart }: TokenSequence,
  maxLength: number | undefined,
  row: string,
): void {
  if (ids.length <= checkedLimit(maxLength)) return;
  throw new PupilError(
    `${row} has ${ids.length} tokens (${completionStart} of them the prompt), more than ${maxLength}.`,
    {
      field: "data.maxLength",
      value: maxLength,
      remedy:
        'Shorten it, take a model with a longer context, or set data.longRows to "truncate" or "drop".',
    },
  );
}

/** A limit on the ids of a row, infinite where there is none. */
export function checkedLimit(maxLength = Number.POSITIVE_INFINITY): number {
  if (maxLength >= 2) return maxLength;
  throw new PupilError(`must be at least 2, got ${maxLength}.`, {
    field: "maxLength",
    value: maxLength,
  });
}
