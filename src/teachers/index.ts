export type { Teacher, TeacherScores, TeacherSignal, TeacherTensors } from "./teacher.js";
export { modelTeacher } from "./model-teacher.js";
