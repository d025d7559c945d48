export { alignLoadedTeacher } from "./align.js";
export { loadTeacher, readTeacherOutline } from "./load-teacher.js";
export type { LoadedTeacher, TeacherLoader, TeacherRun } from "./loaded-teacher.js";
