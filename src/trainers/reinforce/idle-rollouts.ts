import { PupilError } from "../../errors/index.js";
import type { StepMetrics } from "../step/metrics.js";

/** So many batches of rollouts without anything to learn, from a run's beginning on, end it. */
export const mostIdleRollouts = 100;

/** To be called after every step. */
export type IdleWatch = (
  metrics: Pick<StepMetrics, "gradNorm" | "degenerateGroups" | "reward" | "isMidRollout">,
) => void;

/**
 * Ends a run that has learned nothing since it began or was resumed: in every batch of rollouts all
 * completions of every problem had the same reward, and no other term had a gradient.
 *
 * @returns a function that throws a PupilError once that is so of `most` batches
 */
export function watchIdleRollouts(most = mostIdleRollouts): IdleWatch {
  let idle = 0;
  let hasLearned = false;
  return ({ gradNorm, degenerateGroups, reward = 0, isMidRollout }) => {
    hasLearned ||= gradNorm !== 0 || degenerateGroups !== 1;
    if (hasLearned || isMidRollout === true) return;
    idle += 1;
    if (idle < most) return;
    throw new PupilError(
      `In none of ${most} batches of rollouts did the completions of any problem differ in reward (${reward.toPrecision(3)} on average): none is better than another, and nothing has been learned.`,
      {
        field: "trainer.rewards",
        remedy:
          "Where all are wrong: train on the data first (sft), take easier problems, or let a sampler guide. Where all are right: take harder ones. Else raise samplesPerProblem or samplingTemperature.",
      },
    );
  };
}
