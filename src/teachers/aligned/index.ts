export {
  type AlignedRow,
  alignRow,
  type AlignedSignal,
  alignedSignals,
  type RowChunk,
  type Tokenizers,
} from "./align-row.js";
export {
  type AlignedTeacher,
  alignedTeacher,
  type AlignedTeacherOptions,
} from "./aligned-teacher.js";
export { type Alignment, alignmentSchema } from "./schema.js";
export { type ChunkPlacement, toStudentVocabulary } from "./place-signals.js";
