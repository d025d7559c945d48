/** Words of a corpus and how often each occurs, as byte-level BPE sees them. */
export type WordCounts = ReadonlyMap<string, number>;

/**
 * GPT-2's pattern (encoder.py): English contractions, then letters, digits or other characters with
 * at most one space before them, then white space. No token of a byte-level BPE crosses a word.
 */
const wordPattern =
  /'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Takes texts and counts their words; texts that belong together may come in pieces. */
export interface WordCounter {
  /** A whole text, or the next part of it; words never go from one text into the next. */
  add(text: string): void;
  /** Ends a text that was added in parts. */
  endText(): void;
  /** Everything counted; call `endText` first. */
  readonly counts: WordCounts;
  /** UTF-16 units added. */
  readonly length: number;
}

/**
 * Counts the words of texts. Special tokens in a text are left out and separate what is around them.
 * Parts are cut where white space begins, which is always between two words, so that the counts do
 * not depend on how a text was cut.
 */
export function wordCounter(specialTokens: readonly string[] = []): WordCounter {
  const counts = new Map<string, number>();
  const separator = specialTokenPattern(specialTokens);
  let pending: string[] = [];
  let length = 0;
  const count = (text: string): void => {
    for (const part of separator === undefined ? [text] : text.split(separator)) {
      for (const [word] of part.matchAll(wordPattern)) {
        counts.set(word, (counts.get(word) ?? 0) + 1);
      }
    }
  };
  return {
    counts,
    get length() {
      return length;
    },
    add(text) {
      length += text.length;
      const cut = lastWordStart(text);
      if (cut === 0 || specialTokens.some((token) => /\s/.test(token))) {
        pending.push(text);
        return;
      }
      count(pending.join("") + text.slice(0, cut));
      pending = [text.slice(cut)];
    },
    endText() {
      count(pending.join(""));
      pending = [];
    },
  };
}

/** The counts of whole texts. */
export function countWords(
  texts: Iterable<string>,
  specialTokens: readonly string[] = [],
): WordCounts {
  const counter = wordCounter(specialTokens);
  for (const text of texts) {
    counter.add(text);
    counter.endText();
  }
  return counter.counts;
}

/** Where the last white space begins that follows something else; 0 if there is none. */
function lastWordStart(text: string): number {
  const isSpace = (index: number) => /\p{White_Space}/u.test(text.charAt(index));
  for (let i = text.length - 1; i > 0; i--) {
    if (isSpace(i) && !isSpace(i - 1)) return i;
  }
  return 0;
}

/** Any of the tokens, the longest first; undefined without tokens. */
function specialTokenPattern(tokens: readonly string[]): RegExp | undefined {
  if (tokens.length === 0) return undefined;
  const longestFirst = [...tokens].sort((a, b) => b.length - a.length);
  const escaped = longestFirst.map((token) => token.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(escaped.join("|"), "u");
}
