import { PupilError } from "../../errors/index.js";
import { averageTeacher, modelTeacher, type TeacherConfig } from "../../teachers/index.js";
import type { LoadedTeacher } from "./loaded-teacher.js";

type SelfTeacherConfig = Extract<TeacherConfig, { type: "self" }>;

/** The student, as it is or as an average over its past. */
export function loadSelfTeacher(config: SelfTeacherConfig): Promise<LoadedTeacher> {
  const { type: _type, emaDecay, prompt, ...options } = config;
  if (emaDecay === undefined && prompt === undefined) {
    throw new PupilError("A student that teaches itself the same has nothing to learn.", {
      field: "teacher",
      remedy: "Set teacher.prompt (what it is told more) or teacher.emaDecay, such as 0.99.",
    });
  }
  return Promise.resolve({
    notes: [
      emaDecay === undefined
        ? "Teacher: the student itself."
        : `Teacher: the average of the student with decay ${emaDecay}.`,
    ],
    connect: ({ student }) => {
      if (emaDecay !== undefined)
        return Promise.resolve(averageTeacher(student, emaDecay, options));
      const teacher = modelTeacher(student, "the student itself", options);
      // The student is not the teacher's to release.
      const dispose = () => undefined;
      return Promise.resolve({ ...teacher, dispose, [Symbol.dispose]: dispose });
    },
    dispose: () => undefined,
  });
}
