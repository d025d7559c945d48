export { alignLoadedTeacher } from "./align.js";
export { loadTeacher, readTeacherOutline } from "./load-teacher.js";
export type { LoadedTeacher, TeacherLoader, TeacherRun } from "./loaded-teacher.js";
export {
  hashOfFiles,
  identifyTeacher,
  teacherDifferences,
  type TeacherIdentity,
  type TeacherManifest,
  teacherManifestSchema,
} from "./manifest.js";
