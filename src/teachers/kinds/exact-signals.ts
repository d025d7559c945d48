import type { TeacherSignal } from "../teacher.js";

/** What teachers with a known distribution can give: everything about next tokens. */
export const exactSignals: readonly TeacherSignal[] = [
  "teacherLogits",
  "teacherTokenLogProbs",
  "teacherTokenIds",
  "teacherTopLogProbs",
  "teacherSampleLogProbs",
];
