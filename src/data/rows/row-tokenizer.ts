import { PupilError, requireMember } from "../../errors/index.js";
import { isLearned } from "../batches/batch.js";
import type { ChatTemplate } from "../chat/chat-template.js";
import { encodeChat, type LearnedTurns } from "../chat/encode-chat.js";
import { hashIds } from "../hash.js";
import type { StoredRow } from "../store/row-record.js";
import { checkedLimit, checkLength, encodeExample, encodePrompt } from "../text/tokenize.js";
import { checkedIds } from "../tokenizers/token-ids.js";
import type { TokenSequence, Tokenizer } from "../types.js";
import { hashSet } from "./hash-set.js";
import type { NamedExample } from "./row-shapes.js";

export const longRowPolicies = ["truncate", "drop", "error"] as const;
export type LongRowPolicy = (typeof longRowPolicies)[number];

export interface RowTokenizerOptions {
  /** Most ids of a row, its start and end ids included. The batch is one shorter. Default: no limit. */
  readonly maxLength?: number | undefined;
  /**
   * What happens to longer rows. "truncate" (default) cuts their end, and drops those that have
   * nothing to learn before it; "drop" leaves them out; "error" throws a PupilError that names the row.
   */
  readonly longRows?: LongRowPolicy;
  /** Needed where there are chats. */
  readonly template?: ChatTemplate | undefined;
  /** Turns of a chat that are learned. Default: all. */
  readonly learn?: LearnedTurns;
}

/** What became of the rows of a data set. */
export interface TokenizeReport {
  /** Rows given. */
  readonly rows: number;
  /** Rows returned, truncated ones and duplicates included. */
  readonly kept: number;
  readonly truncated: number;
  /** Longer rows that were left out. */
  readonly dropped: number;
  /** Rows left out because they have nothing to learn: no text, or no turn of the assistant. */
  readonly empty: number;
  /** Rows kept whose ids are those of a row before, by a 53-bit hash. */
  readonly duplicates: number;
  /** Ids in the rows kept. */
  readonly tokens: number;
  /** Those of them that are learned. */
  readonly completionTokens: number;
  /** Ids cut off truncated rows. */
  readonly tokensCutOff: number;
  /** Ids of the longest row given. */
  readonly longest: number;
  /** Ids of the longest row kept. */
  readonly longestKept: number;
  /** Longest learned part of a row kept, from its first learned id to its end. */
  readonly longestCompletion: number;
  /** Ids before the first learned one, in the row kept that has most of them. */
  readonly longestPrompt: number;
  /** Ids in the rows kept that stand for text outside of the vocabulary; absent where that is an error. */
  readonly unknownTokens?: number;
}

export interface RowTokenizer {
  /** The row's ids, or undefined where it is left out. */
  encode(row: NamedExample): StoredRow | undefined;
  report(): TokenizeReport;
}

/** Tokenizes rows one at a time and counts what becomes of them. */
export function rowTokenizer(
  tokenizer: Tokenizer,
  options: RowTokenizerOptions = {},
): RowTokenizer {
  requireMember(tokenizer, "encode", {
    field: "rowTokenizer: tokenizer",
    remedy: "Give it a tokenizer: byteTokenizer(), or await loadTokenizer(path).",
  });
  const { longRows = "truncate", maxLength } = options;
  const limit = checkedLimit(maxLength);
  const { unknownId } = tokenizer;
  let unknownTokens = 0;
  const seen = hashSet();
  const counts = { rows: 0, kept: 0, truncated: 0, dropped: 0, empty: 0, duplicates: 0 };
  const sums = { tokens: 0, completionTokens: 0, tokensCutOff: 0 };
  const most = { longest: 0, longestKept: 0, longestCompletion: 0, longestPrompt: 0 };
  return {
    encode(row) {
      counts.rows += 1;
      const sequence = encodeNamed(tokenizer, row, options);
      if (sequence === undefined) {
        counts.empty += 1;
        return undefined;
      }
      const { length } = checkedIds(sequence.ids, tokenizer);
      most.longest = Math.max(most.longest, length);
      if (longRows === "error") checkLength(sequence, maxLength, row.id);
      const kept = length <= limit ? sequence : cut(sequence, limit);
      const isKept = length <= limit || (longRows === "truncate" && learnedIds(kept) > 0);
      if (!isKept) {
        counts.dropped += 1;
        return undefined;
      }
      const { ids, completionStart } = kept;
      counts.kept += 1;
      if (length > limit) counts.truncated += 1;
      if (!seen.add(hashIds(ids))) counts.duplicates += 1;
      sums.tokens += ids.length;
      unknownTokens += unknownId === undefined ? 0 : ids.filter((id) => id === unknownId).length;
      sums.tokensCutOff += length - ids.length;
      sums.completionTokens += learnedIds(kept);
      most.longestKept = Math.max(most.longestKept, ids.length);
      most.longestCompletion = Math.max(most.longestCompletion, ids.length - completionStart);
      most.longestPrompt = Math.max(most.longestPrompt, completionStart);
      const { answer } = row.example;
      return {
        ...{ ...kept, id: row.id },
        ...shownPromptOf(tokenizer, row),
        ...(answer === undefined ? {} : { answer }),
      };
    },
    report: () => ({
      ...{ ...counts, ...sums, ...most },
      ...(unknownId === undefined ? {} : { unknownTokens }),
    }),
  };
}

/** @throws PupilError if no row is left */
export function checkAnyKept(report: TokenizeReport, maxLength: number | undefined): void {
  const { rows, kept, dropped, longest } = report;
  if (kept > 0) return;
  if (dropped === 0) {
    throw new PupilError(`None of the ${rows} rows has anything to learn.`, {
      field: "data.fields",
      remedy: "Name the fields that hold texts, or chats in which the assistant says something.",
    });
  }
  throw new PupilError(`None of the ${rows} rows fits into ${maxLength} tokens.`, {
    field: "data.maxLength",
    value: maxLength,
    remedy: `The longest has ${longest}: allow longer rows or shorten the prompts.`,
  });
}

function encodeNamed(
  tokenizer: Tokenizer,
  { example, id }: NamedExample,
  { template, learn = "all" }: RowTokenizerOptions,
): TokenSequence | undefined {
  try {
    if ("messages" in example) {
      if (template === undefined) throw new Error("A chat was given without its template.");
      if (example.isPrompt) return promptRow(tokenizer.encode(template.render(example, true)));
      return encodeChat(tokenizer, template, example, learn);
    }
    if (example.completion === undefined) return promptRow(encodePrompt(tokenizer, example.prompt));
    if (example.prompt === "" && example.completion.trim() === "") return undefined;
    const sequence = encodeExample(tokenizer, example);
    return learnedIds(sequence) === 0 ? undefined : sequence;
  } catch (cause) {
    if (!(cause instanceof PupilError)) throw cause;
    throw new PupilError(cause.message, { field: id, value: cause.value, cause });
  }
}

function shownPromptOf(
  tokenizer: Tokenizer,
  { example, id }: NamedExample,
): Pick<TokenSequence, "shownPrompt"> {
  if (!("shownPrompt" in example) || example.shownPrompt === undefined) return {};
  try {
    return { shownPrompt: encodePrompt(tokenizer, example.shownPrompt) };
  } catch (cause) {
    if (!(cause instanceof PupilError)) throw cause;
    throw new PupilError(`shownPrompt: ${cause.message}`, { field: id, value: cause.value, cause });
  }
}

/** A prompt that has no completion: nothing of it is learned. */
function promptRow(ids: readonly number[]): TokenSequence | undefined {
  return ids.length === 0 ? undefined : { ids, completionStart: ids.length };
}

/** The first `length` ids, and which of them are learned. */
function cut({ ids, learned, ...rest }: TokenSequence, length: number): TokenSequence {
  const shorter = { ...rest, ids: ids.slice(0, length) };
  return learned === undefined ? shorter : { ...shorter, learned: learned.slice(0, length) };
}

function learnedIds(sequence: TokenSequence): number {
  let count = 0;
  for (let i = 0; i < sequence.ids.length; i++) if (isLearned(sequence, i)) count += 1;
  return count;
}
