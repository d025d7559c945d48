import * as tf from "@tensorflow/tfjs-core";
import { defineLoss, logProbsFromLogits, stopGradient } from "pupil";
import { z } from "zod";

/** Squared Hellinger distance of student and teacher: 1 − Σ √(T S), from 0 to 1 at every token. */
export const hellinger = defineLoss({
  name: "hellinger",
  summary: "Squared Hellinger distance of student and teacher, which is the same either way.",
  direction: "symmetric",
  formula: "1 − Σ_v √(T_v S_v)",
  reference: "https://en.wikipedia.org/wiki/Hellinger_distance",
  per: "token",
  needs: ["studentLogits", "teacherLogits"],
  config: z.strictObject({
    temperature: z.number().positive().default(1).describe("Divides both logits."),
  }),
  properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: true, shiftInvariant: true },
  examples: [{}, { temperature: 2 }],
  evaluate({ studentLogits, teacherLogits }, { temperature }) {
    // What is made on the way is freed at the end.
    return tf.tidy(() => {
      const student = logProbsFromLogits(studentLogits, { temperature });
      const teacher = logProbsFromLogits(stopGradient(teacherLogits), { temperature });
      return student.add(teacher).div(2).exp().sum(-1).neg().add(1);
    });
  },
});
