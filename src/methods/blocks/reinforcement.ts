import { z } from "zod";
import type { Stage, StageRun } from "../../config/index.js";
import { type DistillSettings, distillSettings } from "./distillation.js";
import { sftStage, teacherStage, trainStage } from "./stages.js";
import { freshStudent, fromStage } from "./students.js";

type ReinforceTrainer = Extract<StageRun["trainer"], { type: "reinforce" }>;

/** The fields of a `reinforce` trainer that arms choose. */
export type ReinforceFields = Partial<ReinforceTrainer>;

/** Fields of methods that train a student on its own rollouts after a short SFT. */
export function reinforceSettings(defaults: { sftSteps?: number; steps?: number } = {}) {
  const { sftSteps = 400, steps = 120 } = defaults;
  return {
    ...distillSettings({ sftSteps, steps, learningRate: 5e-4 }),
    problemsPerStep: z.int().min(1).default(8).describe("Problems per batch of rollouts."),
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
  const { steps, learningRate, samples } = s;
  const plain = { type: "plain", by: "student", samplesPerProblem: samples } as const;
  return trainStage("reinforce", s, {
    student: fromStage("sft"),
    ...options,
    trainer: {
      ...{ steps, learningRate, warmupSteps: 5, batchSize: s.problemsPerStep },
      ...{ ...trainer, sampler: sampler ?? plain, type: "reinforce" },
    },
  });
}

/** The SFT that every arm begins with. */
export function startStage(s: ReinforceSettings): Stage {
  const { sftSteps: steps, sftRate: learningRate } = s;
  return sftStage("sft", s, { student: freshStudent(s.student), steps, learningRate });
}

/** Stages `teacher`, `sft` and `reinforce`; a teacher scores the rollouts where the arm asks one. */
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
