export {
  type AlignedRow,
  alignRow,
  type AlignedSignal,
  alignedSignals,
  type AlignedTeacher,
  alignedTeacher,
  type Alignment,
  alignmentSchema,
  type AlignedTeacherOptions,
  type ChunkPlacement,
  type RowChunk,
  type Tokenizers,
  toStudentVocabulary,
} from "./aligned/index.js";
export { averageTeacher } from "./average-teacher.js";
export { defineTeacher, type OwnTeacherRun, type TeacherDefinition } from "./define.js";
export { drawTokens } from "./draw-tokens.js";
export * from "./hidden-states/index.js";
export * from "./http/index.js";
export {
  defineTeacherKind,
  kindsThatGive,
  type TeacherConfig,
  type TeacherKind,
  teacherKinds,
  teacherSchema,
  teacherSchemaWith,
} from "./kinds/index.js";
export {
  type ListTeacher,
  modelListTeacher,
  type ModelListTeacherOptions,
  recordedListTeacher,
  scoreSequences,
} from "./list-teacher.js";
export type { DistributionOptions } from "./logit-signals.js";
export * from "./mixture/index.js";
export { modelTeacher, type ModelTeacherOptions } from "./model-teacher.js";
export {
  type OnnxDecoder,
  type OnnxSession,
  onnxTeacher,
  type OnnxTeacherOptions,
  type OnnxTensor,
  type OnnxValueInfo,
  openOnnxDecoder,
  withRows,
} from "./onnx/index.js";
export { promptedTeacher } from "./prompted-teacher.js";
export * from "./recorded/index.js";
export { placeScores, type SequenceScores } from "./sequence-scores.js";
export { isTokenSignal, teacherSignals } from "./signals.js";
export * from "./synthetic/index.js";
export type {
  CompleteOptions,
  LayerSignal,
  ScoreContext,
  ScoreSource,
  Teacher,
  TeacherAnswer,
  TeacherState,
  TeacherScores,
  TeacherSignal,
  TeacherTensors,
  TokenSignal,
} from "./teacher.js";
