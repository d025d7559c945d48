export type { Example, TokenSequence, Tokenizer } from "./types.js";
export { Batch, makeBatch } from "./batch.js";
export type { BatchOptions } from "./batch.js";
export { characterTokenizer } from "./tokenizers/character-tokenizer.js";
export { byteTokenizer } from "./tokenizers/byte-tokenizer.js";
export { tokenizerFromJson } from "./tokenizers/tokenizer-from-json.js";
export type { TokenizerOptions } from "./tokenizers/tokenizer-from-json.js";
export type { SpecialTokensOption } from "./tokenizers/special-tokens.js";
