export { alignTokens, chunkLogProbs } from "./align-tokens.js";
export type { TokenChunk, TokenizedSide } from "./align-tokens.js";
export { noPosition } from "./map-positions.js";
export { bytesOfTokens, tokenEnds, tokenOffsets } from "./token-offsets.js";
export type { TokenBytes } from "./token-offsets.js";
export { vocabularyMap } from "./vocabulary-map.js";
export type { VocabularyMap } from "./vocabulary-map.js";
