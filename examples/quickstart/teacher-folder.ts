import { fileURLToPath } from "node:url";

/** The model that `teacher.json` trains and `save-teacher.ts` saves. */
export const teacherFolder = fileURLToPath(new URL("teacher", import.meta.url));
