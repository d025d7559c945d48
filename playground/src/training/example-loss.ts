/** What the editor begins with: the same file works with `pupil check-losses` and in a run config. */
export const exampleLoss = `import * as tf from "@tensorflow/tfjs-core";
import { assertShape, defineLoss, logProbsFromLogits, stopGradient } from "pupil";
import { z } from "zod";

// Twice the forward KL where the teacher is sure of the token, once where it is not.
export const sureKl = defineLoss({
  name: "sure-kl",
  summary: "KL(teacher ‖ student), weighted by how sure the teacher is.",
  direction: "KL(teacher ‖ student), mass-covering",
  formula: "(1 + max_v T_v) Σ_v T_v (log T_v − log S_v)",
  reference: "none: an example",
  per: "token",
  needs: ["studentLogits", "teacherLogits"],
  config: z.strictObject({
    temperature: z.number().positive().default(1).describe("Divides both logits before the softmax."),
  }),
  properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: true, shiftInvariant: true },
  examples: [{}, { temperature: 2 }],
  evaluate({ studentLogits, teacherLogits }, { temperature }) {
    assertShape({ studentLogits, teacherLogits }, { studentLogits: "B T V", teacherLogits: "B T V" });
    return tf.tidy(() => {
      const student = logProbsFromLogits(studentLogits, { temperature });
      const teacher = logProbsFromLogits(stopGradient(teacherLogits), { temperature });
      const p = teacher.exp();
      // What the teacher rules out does not count: 0 log 0 = 0.
      const gap = tf.where(p.greater(0), teacher.sub(student), 0);
      return p.mul(gap).sum(-1).mul(p.max(-1).add(1));
    });
  },
});
`;
