import { PupilError } from "../../errors/index.js";
import type { Decoder } from "../../models/index.js";
import {
  averageTeacher,
  modelTeacher,
  type ModelTeacherOptions,
  type Teacher,
  type TeacherConfig,
} from "../../teachers/index.js";
import type { LoadedTeacher } from "./loaded-teacher.js";

type SelfTeacherConfig = Extract<TeacherConfig, { type: "self" }>;

/** The student, as it is, as an average over its past, or without its adapter. */
export function loadSelfTeacher(config: SelfTeacherConfig): Promise<LoadedTeacher> {
  const { type: _type, emaDecay, adapter, prompt, ...options } = config;
  if (emaDecay === undefined && adapter === undefined && prompt === undefined) {
    throw new PupilError("A student that teaches itself the same has nothing to learn.", {
      field: "teacher",
      remedy:
        'Set teacher.prompt (what it is told more), teacher.emaDecay, such as 0.99, or for a student with an adapter teacher.adapter to "none".',
    });
  }
  if (emaDecay !== undefined && adapter !== undefined) {
    throw new PupilError("The student without its adapter has no past to average over.", {
      field: "teacher.emaDecay",
      value: emaDecay,
      remedy: "Leave out either emaDecay or adapter.",
    });
  }
  return Promise.resolve({
    notes: [
      emaDecay === undefined
        ? `Teacher: the student itself${adapter === undefined ? "" : ", without its adapter"}.`
        : `Teacher: the average of the student with decay ${emaDecay}.`,
    ],
    connect: ({ student }) => {
      if (emaDecay !== undefined)
        return Promise.resolve(averageTeacher(student, emaDecay, options));
      const teacher =
        adapter === undefined
          ? modelTeacher(student, "the student itself", options)
          : withoutAdapter(student, options);
      // The student is not the teacher's to release.
      const dispose = () => undefined;
      return Promise.resolve({ ...teacher, dispose, [Symbol.dispose]: dispose });
    },
    dispose: () => undefined,
  });
}

function withoutAdapter(student: Decoder, options: ModelTeacherOptions): Teacher {
  if (student.adapters.active === undefined) {
    throw new PupilError("The student has no adapter to leave out.", {
      field: "teacher.adapter",
      remedy: 'Add student.lora, such as { "rank": 8 }.',
    });
  }
  return modelTeacher(student.withAdapter(undefined), "the student without its adapter", options);
}
