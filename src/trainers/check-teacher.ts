import { PupilError } from "../errors/index.js";
import type { LossInput } from "../losses/index.js";
import type { LanguageModel } from "../models/index.js";
import type { Teacher, TeacherSignal } from "../teachers/index.js";

const studentSide: readonly LossInput[] = ["studentLogits", "labels"];

/** The signals to ask a teacher for, or an error before the run starts if it cannot give them. */
export function requireSignals(
  student: LanguageModel,
  teacher: Teacher,
  needs: readonly LossInput[],
): TeacherSignal[] {
  const signals = needs.filter((need) => !studentSide.includes(need)) as TeacherSignal[];
  const absent = signals.filter((signal) => !teacher.provides.includes(signal));
  if (absent.length > 0) {
    throw new PupilError(
      `The loss needs ${absent.join(", ")}, which "${teacher.name}" cannot give.`,
      {
        field: "loss",
        remedy: `It gives ${teacher.provides.join(", ")}.`,
      },
    );
  }
  if (teacher.vocabSize !== student.config.vocabSize) {
    throw new PupilError(
      `Teacher "${teacher.name}" has a vocabulary of ${teacher.vocabSize} tokens, the student of ${student.config.vocabSize}.`,
      {
        field: "teacher",
        remedy: "Token-level losses need one vocabulary: give the student the teacher's tokenizer.",
      },
    );
  }
  return signals;
}
