import { isLearned } from "../batches/batch.js";
import { readVocabulary, tokensById } from "../tokenizers/vocabulary.js";
import type { TokenSequence, Tokenizer } from "../types.js";

/** A token as people read it. */
export interface ShownToken {
  /** Its text where it stands; special tokens and parts of characters as the vocabulary writes them. */
  readonly text: string;
  readonly learned: boolean;
}

/** Shows the tokens of rows one by one, with what is learned of them. */
export function tokenViewer(tokenizer: Tokenizer): (row: TokenSequence) => ShownToken[] {
  const names = tokensById(readVocabulary(tokenizer.toJson(), "tokenizer.json"));
  const textAt = (row: readonly number[], at: number): string => {
    const id = row[at] as number;
    // Decoded after its predecessor: many tokenizers drop a space at the start of a text.
    const before = at === 0 ? "" : tokenizer.decode(row.slice(at - 1, at));
    const both = tokenizer.decode(row.slice(Math.max(0, at - 1), at + 1));
    const text = both.startsWith(before) ? both.slice(before.length) : "";
    const isWhole = text !== "" && !text.includes("\ufffd");
    return isWhole ? text : (names.get(id) ?? `#${id}`);
  };
  return (row) =>
    row.ids.map((_id, at) => ({ text: textAt(row.ids, at), learned: isLearned(row, at) }));
}
