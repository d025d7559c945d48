import { z } from "zod";
import type { Stage, StageRun } from "../../config/index.js";
import { type DistillSettings, distillSettings } from "./distillation.js";
import { type BaseSettings, rateField, stepsField } from "./settings.js";
import { sftStage, teacherStage, trainStage } from "./stages.js";
import { freshStudent, fromStage } from "./students.js";

export type ReinforceTrainer = Extract<StageRun["trainer"], { type: "reinforce" }>;
export type Sampler = NonNullable<ReinforceTrainer["sampler"]>;
/** The fields of a `reinforce` trainer that arms choose. */
export type ReinforceFields = Partial<ReinforceTrainer>;
export type ReinforceLoss = NonNullable<ReinforceTrainer["loss"]>;

export interface WarmDefaults {
  readonly sftSteps?: number;
  readonly steps?: number;
  readonly learningRate?: number;
}

/** Fields of methods that begin with an SFT and go on with rewards; `batchSize` is in problems. */
export function warmSettings(defaults: WarmDefaults = {}) {
  const { sftSteps = 450, steps = 80, learningRate = 3e-4 } = defaults;
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
export function warmStage(s: WarmSettings, options: Partial<StageRun> = {}, name = "sft"): Stage {
  return trainStage(name, s, {
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
  s: BaseSettings & Pick<WarmSettings, "steps" | "learningRate">,
  trainer: ReinforceFields,
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

/** Fields of methods that train a student on its own rollouts after a short SFT. */
export function reinforceSettings(defaults: { sftSteps?: number; steps?: number } = {}) {
  const { sftSteps = 380, steps = 100 } = defaults;
  return {
    ...distillSettings({ sftSteps, steps, learningRate: 3e-4 }),
    problemsPerStep: z.int().min(1).default(16).describe("Problems per batch of rollouts."),
    samples: z.int().min(2).default(8).describe("Completions of each problem, G."),
  };
}

/** The settings that {@link reinforceSettings} gives, beside the base ones. */
export interface ReinforceSettings extends DistillSettings {
  readonly problemsPerStep: number;
  readonly samples: number;
}

/** The stage that arms differ in, on what an earlier stage `sft` left. */
export function reinforceStage(
  s: ReinforceSettings,
  { sampler, ...trainer }: ReinforceFields,
  options: Partial<StageRun> = {},
): Stage {
  const plain = { type: "plain", by: "student", samplesPerProblem: s.samples } as const;
  const fields = { batchSize: s.problemsPerStep, ...trainer, sampler: sampler ?? plain };
  return rewardStage(s, fields, options);
}

/** The SFT that every arm begins with. */
export function startStage(s: ReinforceSettings): Stage {
  const { sftSteps: steps, sftRate: learningRate } = s;
  return sftStage("sft", s, { student: freshStudent(s.student), steps, learningRate });
}

/** Stages `teacher`, `sft` and `rl`; a teacher scores the rollouts where the arm asks one. */
export function reinforceArm(
  s: ReinforceSettings,
  fields: ReinforceFields,
  { teacher }: { readonly teacher: boolean },
): Stage[] {
  if (!teacher) return [startStage(s), reinforceStage(s, fields)];
  const { teacher: size, teacherSteps, teacherRate } = s;
  return [
    teacherStage("teacher", s, { size, steps: teacherSteps, learningRate: teacherRate }),
    startStage(s),
    reinforceStage(s, fields, { teacher: { type: "model", from: "stage:teacher" } }),
  ];
}
