export { drawTokens } from "./draw-tokens.js";
export * from "./http/index.js";
export {
  defineTeacherKind,
  kindsThatGive,
  type TeacherConfig,
  type TeacherKind,
  teacherKinds,
  teacherSchema,
} from "./kinds/index.js";
export { modelTeacher, type ModelTeacherOptions } from "./model-teacher.js";
export { placeScores, type SequenceScores } from "./sequence-scores.js";
export type {
  CompleteOptions,
  ScoreContext,
  Teacher,
  TeacherScores,
  TeacherSignal,
  TeacherTensors,
} from "./teacher.js";
