import { z } from "zod";
import type { Stage, StageRun } from "../../config/index.js";
import { type BaseSettings, rateField, stepsField } from "./settings.js";
import { trainStage } from "./stages.js";
import { freshStudent, fromStage } from "./students.js";

export type ReinforceTrainer = Extract<StageRun["trainer"], { type: "reinforce" }>;
export type Sampler = NonNullable<ReinforceTrainer["sampler"]>;
export type ReinforceLoss = NonNullable<ReinforceTrainer["loss"]>;

export interface WarmDefaults {
  readonly sftSteps?: number;
  readonly steps?: number;
  readonly learningRate?: number;
}

/** Fields of methods that begin with an SFT and go on with rewards; `batchSize` is in problems. */
export function warmSettings(defaults: WarmDefaults = {}) {
  const { sftSteps = 400, steps = 80, learningRate = 5e-4 } = defaults;
  return {
    samplesPerProblem: z.int().min(2).default(8).describe("Rollouts of a problem."),
    sftSteps: stepsField(sftSteps, "the SFT that every arm begins with"),
    sftBatchSize: z.int().min(1).default(32).describe("Rows per step of that SFT."),
    sftRate: rateField(3e-3, "that SFT"),
    steps: stepsField(steps, "every arm after it"),
    learningRate: rateField(learningRate, "every arm after it"),
  };
}

/** The settings that {@link warmSettings} gives, beside the base ones. */
export interface WarmSettings extends BaseSettings {
  readonly samplesPerProblem: number;
  readonly sftSteps: number;
  readonly sftBatchSize: number;
  readonly sftRate: number;
  readonly steps: number;
  readonly learningRate: number;
}

/** The stage `sft` that arms with rewards begin with; `options` are the run's, in place of the common ones. */
export function warmStage(s: WarmSettings, options: Partial<StageRun> = {}): Stage {
  return trainStage("sft", s, {
    student: freshStudent(s.student),
    ...options,
    trainer: {
      ...({ type: "sft", schedule: "cosine", warmupSteps: 10 } as const),
      ...{ steps: s.sftSteps, batchSize: s.sftBatchSize, learningRate: s.sftRate },
    },
  });
}

/** The stage `rl`: the student of `sft`, trained by what `trainer` says beside the settings. */
export function rewardStage(
  s: WarmSettings,
  trainer: Partial<ReinforceTrainer>,
  options: Partial<StageRun> = {},
): Stage {
  return trainStage("rl", s, {
    student: fromStage("sft"),
    ...options,
    trainer: {
      ...{ steps: s.steps, learningRate: s.learningRate, warmupSteps: 5 },
      ...trainer,
      type: "reinforce",
    },
  });
}
