export type { Example, PlacedSequence, TokenSequence, Tokenizer } from "./types.js";
export {
  Batch,
  isLearned,
  learnedPositions,
  makeBatch,
  roundedLength,
  withSequences,
} from "./batches/batch.js";
export type { BatchOptions } from "./batches/batch.js";
export { packSequences } from "./batches/pack-sequences.js";
export type { PackedRows } from "./batches/pack-sequences.js";
export { makePackedBatch } from "./batches/packed-batch.js";
export type { PackedBatchOptions } from "./batches/packed-batch.js";
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
  fileDatasetSchema,
  hubDatasetSchema,
  jsonlDatasetSchema,
  pairsDatasetSchema,
  prontoqaDatasetSchema,
  rerankDatasetSchema,
  taskDatasetSchema,
  textDatasetSchema,
} from "./dataset-schemas.js";
export type {
  FileDataset,
  HubDataset,
  JsonlDataset,
  PairsDataset,
  ProntoqaDataset,
  RerankDataset,
  TaskDataset,
  TextDataset,
} from "./dataset-schemas.js";
export {
  assignSplit,
  commonTaskFields,
  defineTask,
  drawFromSplit,
  drawStyle,
  styleField,
  taskSplits,
} from "./tasks/define.js";
export type { TaskDefinition, TaskSplit, Verification } from "./tasks/define.js";
export { checkTask } from "./tasks/check-task.js";
export { judgeParts, partsOf, restOf } from "./tasks/parts.js";
export { additionTask } from "./tasks/addition.js";
export type { AdditionProblem } from "./tasks/addition.js";
export { kb2Task } from "./tasks/kb2/kb2.js";
export type { TableProblem } from "./tasks/kb2/kb2.js";
export { checkProof } from "./tasks/prontoqa/check-proof.js";
export type { ProofCheck, ProofStep, StepLabel } from "./tasks/prontoqa/check-proof.js";
export { prontoqaTask } from "./tasks/prontoqa/prontoqa.js";
export { readProntoqa } from "./tasks/prontoqa/read-prontoqa.js";
export type { LogicProblem, Statement } from "./tasks/prontoqa/statement.js";
export { toolTask } from "./tasks/tool/tool.js";
export type { ToolProblem } from "./tasks/tool/tool.js";
export { multiplicationTask } from "./tasks/multiplication/multiplication.js";
export type { MultiplicationProblem } from "./tasks/multiplication/multiplication.js";
export { chainTask } from "./tasks/chain/chain.js";
export type { ChainProblem } from "./tasks/chain/problem.js";
export {
  findTask,
  taskConfigSchema,
  taskConfigSchemaWith,
  taskDefinitions,
} from "./tasks/index.js";
export { rerankTask } from "./tasks/rerank/rerank.js";
export type { RerankProblem } from "./tasks/rerank/problem.js";
export type { TaskConfig } from "./tasks/index.js";
export { taskExamples, taskItem, taskItems } from "./tasks/task-examples.js";
export type { TaskItem } from "./tasks/task-examples.js";
export * from "./verifiers/index.js";
export * from "./templates/index.js";
export { checkVerifier, fileSource, taskOf, taskSource, withCharacters } from "./problems/index.js";
export type {
  FileProblems,
  Problem,
  ProblemSource,
  SolveOptions,
  StepJudgement,
  TaskSourceOptions,
  TrainingProblems,
} from "./problems/index.js";
export * from "./traces/index.js";
export { dataFile } from "./readers/data-file.js";
export type { DataFile, ParquetDecoder } from "./readers/data-file.js";
export { dataFormats, formatOfName, readRows } from "./readers/index.js";
export type { DataFormat } from "./readers/index.js";
export type { DataRow, ReadOptions } from "./readers/reader.js";
export { isWrittenNumber, type WrittenNumber } from "./readers/written-number.js";
export { readLines, readTextPieces } from "./readers/text-pieces.js";
export { splitFiles, splitNames } from "./text/split-files.js";
export type { SplitOptions } from "./text/split-files.js";
export { readTextPart, splitRows, splitText, storeText } from "./text/read-text.js";
export type { DataSplit, TextPart } from "./text/read-text.js";
export { decodeCompletion } from "./text/decode-completion.js";
export { encodePrompt, tokenizeExample } from "./text/tokenize.js";
export type { TokenizeOptions } from "./text/tokenize.js";
export { compileChatTemplate } from "./chat/chat-template.js";
export type { ChatTemplate, Span } from "./chat/chat-template.js";
export { encodeChat } from "./chat/encode-chat.js";
export type { LearnedChat, LearnedTurns } from "./chat/encode-chat.js";
export type { Chat, ChatMessage } from "./chat/messages.js";
export { cutOff, exampleOfRow } from "./rows/row-shapes.js";
export type {
  ChatExample,
  NamedExample,
  PromptExample,
  RowFields,
  RowShapeName,
} from "./rows/row-shapes.js";
export { rowTokenizer } from "./rows/row-tokenizer.js";
export type {
  LongRowPolicy,
  RowTokenizer,
  RowTokenizerOptions,
  TokenizeReport,
} from "./rows/row-tokenizer.js";
export {
  type AnswerPair,
  type PairExample,
  type PairFields,
  type PairOptions,
  type PairReport,
  readPairExamples,
  readPairs,
} from "./rows/read-pairs.js";
export { readExamples, storeRows } from "./rows/store-rows.js";
export type { ExampleOptions, StoredRows, StoreRowsOptions } from "./rows/store-rows.js";
export { RowStore } from "./store/row-store.js";
export type { RowSource } from "./store/row-store.js";
export type { StoredRow } from "./store/row-record.js";
export { TokenStore } from "./store/token-store.js";
export type { SpillFile, TokenStoreOptions } from "./store/token-store.js";
export type { TokenWords } from "./store/token-words.js";
export { tokenViewer } from "./text/show-tokens.js";
export type { ShownToken } from "./text/show-tokens.js";
export { bucketedIndices } from "./batches/length-buckets.js";
export { bm25 } from "./rerank/bm25.js";
export { calibrationError } from "./rerank/calibration.js";
export { kendallTau } from "./rerank/kendall-tau.js";
export { ndcgAt } from "./rerank/ndcg.js";
export { encodeCandidate, someCandidates } from "./rerank/ranking-list.js";
export type {
  EncodeCandidateOptions,
  RankingCandidate,
  RankingList,
} from "./rerank/ranking-list.js";
export {
  rankingWindows,
  readRanking,
  writeRanking,
  writeRankingPrompt,
} from "./rerank/ranking-text.js";
export type { RankingWindow, ReadRanking } from "./rerank/ranking-text.js";
export { readRerankLists } from "./rerank/rerank-lists.js";
export type {
  RerankCandidate,
  RerankFiles,
  RerankList,
  RerankLists,
  RerankReport,
} from "./rerank/rerank-lists.js";
export { readQrels, readRun, readTexts } from "./rerank/trec-files.js";
export type { Judgement, RankedPassage } from "./rerank/trec-files.js";
export { packText } from "./text/pack-text.js";
export type { PackedText } from "./text/pack-text.js";
export { shuffledIndex, shuffledIndices } from "./batches/shuffle.js";
export { checksum32 } from "./checksum.js";
export { hashHex } from "./hash.js";
