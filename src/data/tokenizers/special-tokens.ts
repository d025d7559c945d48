import type { JsonObject } from "./vocabulary.js";

/** Special tokens of the character and byte tokenizers, with the first two free ids. */
export const padToken = "<pad>";
export const endToken = "<end>";

export interface SpecialTokensOption {
  /**
   * Adds `<pad>` and `<end>` after the other tokens (default). Without them nothing ends a
   * completion: for language modelling on plain text.
   */
  readonly specialTokens?: boolean;
}

/** Ids of the special tokens of a tokenizer with `firstFreeId` other tokens. */
export function specialIds(firstFreeId: number, present: boolean): Record<string, number> {
  return present ? { [padToken]: firstFreeId, [endToken]: firstFreeId + 1 } : {};
}

/** A `tokenizer.json` around a model, as Hugging Face's libraries write it. */
export function tokenizerJson(
  special: Record<string, number>,
  parts: {
    normalizer?: JsonObject;
    pre_tokenizer: JsonObject;
    post_processor?: JsonObject;
    decoder: JsonObject;
    model: JsonObject;
  },
): JsonObject {
  const added_tokens = Object.entries(special).map(([content, id]) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens,
    normalizer: parts.normalizer ?? null,
    pre_tokenizer: parts.pre_tokenizer,
    post_processor: parts.post_processor ?? null,
    decoder: parts.decoder,
    model: parts.model,
  };
}

/** The `tokenizer_config.json` with which Python's `AutoTokenizer` loads that file. */
export function tokenizerConfigJson(special: Record<string, number>): JsonObject {
  const names = endToken in special ? { eos_token: endToken, pad_token: padToken } : {};
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    ...names,
    clean_up_tokenization_spaces: false,
  };
}
