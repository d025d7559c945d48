import { z } from "zod";
import { PupilError } from "../../errors/index.js";
import { defineReward } from "./define.js";

/**
 * For completions that begin just before a step that went wrong once: what became of that step.
 *
 *     1    the final answer is right
 *     0.5  the step is the teacher's correction
 *     0.1  the step is neither the correction nor the old error
 *     0    the step repeats the error
 */
export const keyStepReward = defineReward({
  name: "key-step",
  summary:
    "1 for a right answer; else by the step that once went wrong: corrected, new, or the same error.",
  reference:
    "SCoRe, From Correction to Mastery: Reinforced Distillation of LLM Agents (key-step reward)",
  needs: ["keyStep"],
  config: z.strictObject({
    right: z.number().default(1).describe("Reward of a right answer."),
    corrected: z.number().default(0.5).describe("Reward of the teacher's correction."),
    other: z.number().default(0.1).describe("Reward of a step that is neither."),
    repeated: z.number().default(0).describe("Reward of the same error."),
    separator: z.string().min(1).default("\n").describe("What ends a step."),
  }),
  evaluate({ verification, completion, sampled, problem }, config) {
    if (verification.correct) return config.right;
    const { keyStep } = sampled;
    if (keyStep === undefined) {
      throw new PupilError("the row does not say which step went wrong.", {
        field: "key-step",
        value: problem.id,
        remedy: "Use a sampler that begins at the first error of a completion.",
      });
    }
    const firstStep = (text: string) => text.split(config.separator)[0]?.trim() ?? "";
    const step = firstStep(completion);
    if (step === firstStep(keyStep.correction)) return config.corrected;
    return step === firstStep(keyStep.error) ? config.repeated : config.other;
  },
});
