export type { Example, PlacedSequence, TokenSequence, Tokenizer } from "./types.js";
export { Batch, isLearned, makeBatch, withSequences } from "./batch.js";
export type { BatchOptions } from "./batch.js";
export { packSequences } from "./pack-sequences.js";
export type { PackedRows } from "./pack-sequences.js";
export { makePackedBatch } from "./packed-batch.js";
export type { PackedBatchOptions } from "./packed-batch.js";
export { characterTokenizer } from "./tokenizers/character-tokenizer.js";
export { byteTokenizer } from "./tokenizers/byte-tokenizer.js";
export {
  alignTokens,
  bytesOfTokens,
  chunkLogProbs,
  noPosition,
  tokenEnds,
  tokenOffsets,
  vocabularyMap,
} from "./alignment/index.js";
export type {
  TokenBytes,
  TokenChunk,
  TokenizedSide,
  VocabularyMap,
} from "./alignment/index.js";
export { countWords, wordCounter } from "./tokenizers/count-words.js";
export type { WordCounter, WordCounts } from "./tokenizers/count-words.js";
export { bpeSpecialTokens, mergesWanted, trainBpe } from "./tokenizers/train-bpe.js";
export type { TrainBpeOptions, TrainBpeReport, TrainedBpe } from "./tokenizers/train-bpe.js";
export { olderForms } from "./tokenizers/older-forms.js";
export type { OlderForm } from "./tokenizers/older-forms.js";
export { tokenizerFromJson } from "./tokenizers/tokenizer-from-json.js";
export type { TokenizerOptions } from "./tokenizers/tokenizer-from-json.js";
export type { SpecialTokensOption } from "./tokenizers/special-tokens.js";
export {
  jsonlDatasetSchema,
  taskDatasetSchema,
  textDatasetSchema,
} from "./dataset-schemas.js";
export type { JsonlDataset, TaskDataset, TextDataset } from "./dataset-schemas.js";
export { defineTask, taskSplits } from "./tasks/define.js";
export type { TaskDefinition, TaskSplit, Verification } from "./tasks/define.js";
export { additionTask } from "./tasks/addition.js";
export type { AdditionProblem } from "./tasks/addition.js";
export { chainTask } from "./tasks/chain.js";
export type { ChainProblem } from "./tasks/chain-problem.js";
export { findTask, taskConfigSchema, taskDefinitions } from "./tasks/index.js";
export type { TaskConfig } from "./tasks/index.js";
export { taskExamples, taskItem, taskItems } from "./tasks/task-examples.js";
export type { TaskItem } from "./tasks/task-examples.js";
export { parseJsonl, readJsonl } from "./read-jsonl.js";
export type { JsonlFields, JsonlOptions } from "./read-jsonl.js";
export { readText, splitRows, splitText } from "./read-text.js";
export type { DataSplit } from "./read-text.js";
export { encodePrompt, tokenizeExample, tokenizeExamples } from "./tokenize.js";
export type { TokenizedExamples, TokenizeOptions, TokenizeReport } from "./tokenize.js";
export { packText } from "./pack-text.js";
export type { PackedText } from "./pack-text.js";
export { shuffledIndex, shuffledIndices } from "./shuffle.js";
export { hashHex } from "./hash.js";
