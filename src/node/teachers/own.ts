import { PupilError } from "../../errors/index.js";
import type { TeacherConfig, TeacherDefinition } from "../../teachers/index.js";
import type { LoadedTeacher } from "./loaded-teacher.js";

/**
 * A teacher of the user's own.
 *
 * @throws PupilError when it is connected, if it is none or has another vocabulary than it was given
 */
export function loadOwnTeacher(
  { name, connect }: TeacherDefinition,
  config: TeacherConfig,
): LoadedTeacher {
  const { type: _type, ...options } = config as { type?: string } & Record<string, unknown>;
  return {
    notes: [`Teacher: ${name}, of your own.`],
    async connect({ tokenizer, student, random }) {
      const { vocabSize } = student.config;
      const teacher = await connect(options, { tokenizer, vocabSize, random });
      const missing = ["score", "provides", "vocabSize", "dispose"].find(
        (member) =>
          (teacher as unknown as Record<string, unknown> | undefined)?.[member] === undefined,
      );
      if (missing === undefined) return teacher;
      throw new PupilError(`What connect returned has no \`${missing}\`.`, {
        field: `teacher ${name}`,
        remedy: "Return a Teacher, such as exactTeacher makes of a language.",
      });
    },
    dispose: () => undefined,
  };
}
