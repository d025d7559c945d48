export { drawTokens } from "./draw-tokens.js";
export { modelTeacher, type ModelTeacherOptions } from "./model-teacher.js";
export type {
  ScoreContext,
  Teacher,
  TeacherScores,
  TeacherSignal,
  TeacherTensors,
} from "./teacher.js";
