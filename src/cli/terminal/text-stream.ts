import { decodeCompletion, type Tokenizer } from "../../data/index.js";

export interface TextStream {
  /** Shows what the ids add to what was shown; always false, as it stops no sampling. */
  show(completionIds: readonly number[]): boolean;
  /** Shows the rest and returns the whole completion. */
  end(completionIds: readonly number[]): string;
}

/** Text of a completion while it grows, without characters of which only some bytes are there. */
export function textStream(
  tokenizer: Tokenizer,
  promptIds: readonly number[],
  write: (text: string) => void,
): TextStream {
  let shown = "";
  const advance = (text: string) => {
    if (text.length <= shown.length || !text.startsWith(shown)) return;
    write(text.slice(shown.length));
    shown = text;
  };
  return {
    show(completionIds) {
      // A token may end inside of a character, which decodes to this sign until the rest is there.
      advance(decodeCompletion(tokenizer, promptIds, completionIds).replace(/\ufffd+$/, ""));
      return false;
    },
    end(completionIds) {
      const text = decodeCompletion(tokenizer, promptIds, completionIds);
      advance(text);
      return text;
    },
  };
}
