export type { Example, TokenSequence, Tokenizer } from "./types.js";
export { Batch, makeBatch } from "./batch.js";
export type { BatchOptions } from "./batch.js";
