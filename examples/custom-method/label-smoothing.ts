import {
  baseSettings,
  additionProblems,
  defineMethod,
  freshStudent,
  higher,
  trainStage,
} from "pupil/methods";
import { z } from "zod";

/** Does it help a student to be less sure of the labels? */
export const labelSmoothing = defineMethod({
  name: "label-smoothing",
  title: "Label smoothing",
  paper: { citation: "Szegedy et al. 2016", url: "https://arxiv.org/abs/1512.00567" },
  claim: "A student that is trained on smoothed labels is right more often.",
  fidelity: "faithful",
  settings: z.strictObject({
    ...baseSettings({ problems: additionProblems(2), student: "S0", evaluationRows: 100 }),
    steps: z.int().min(1).default(400).describe("Optimizer steps of every arm."),
    smoothing: z.number().min(0).max(1).default(0.1).describe("Mass that the label gives away."),
  }),
  paperSettings: { smoothing: { value: 0.1, source: "REC" } },
  needs: ["completion"],
  arms(s) {
    const arm = (labelSmoothing: number) => [
      trainStage("sft", s, {
        student: freshStudent(s.student),
        trainer: {
          ...{ type: "sft", steps: s.steps, learningRate: 3e-3 },
          loss: [{ type: "cross-entropy", labelSmoothing }],
        },
      }),
    ];
    return { plain: arm(0), smoothed: arm(s.smoothing) };
  },
  baseline: "plain",
  comparisons: [higher("heldOut.accuracy", "smoothed")],
  fairness: { equal: "steps", note: "The same rows in the same order." },
});
