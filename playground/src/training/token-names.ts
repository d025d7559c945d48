import type { Tokenizer } from "pupil";

interface TokenizerFile {
  readonly added_tokens?: readonly { readonly id: number; readonly content: string }[];
}

/** The text of each id: special tokens as their file writes them, what has no text as `#id`. */
export function nameTokens(tokenizer: Tokenizer): (id: number) => string {
  const { added_tokens: added = [] } = tokenizer.toJson() as TokenizerFile;
  const special = new Map(added.map(({ id, content }) => [id, content]));
  return (id) => special.get(id) ?? (tokenizer.decode([id]) || `#${id}`);
}
