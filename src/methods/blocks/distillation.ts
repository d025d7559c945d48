import type { Stage, StageRun } from "../../config/index.js";
import { type BaseSettings, rateField, sizeField, stepsField } from "./settings.js";
import { sftStage, teacherStage, trainStage } from "./stages.js";
import { freshStudent, fromStage, type StudentSize } from "./students.js";

export interface DistillDefaults {
  readonly teacher?: StudentSize;
  readonly teacherSteps?: number;
  readonly sftSteps?: number;
  readonly steps?: number;
  readonly learningRate?: number;
}

/** Fields of methods that distil a trained teacher into a student after a short SFT. */
export function distillSettings(defaults: DistillDefaults = {}) {
  const { teacher = "S0w", teacherSteps = 1000, sftSteps = 400 } = defaults;
  const { steps = 300, learningRate = 1e-3 } = defaults;
  return {
    teacher: sizeField(teacher, "teacher"),
    teacherSteps: stepsField(teacherSteps, "the teacher, which is trained once for all seeds"),
    teacherRate: rateField(2e-3, "the teacher"),
    sftSteps: stepsField(sftSteps, "the SFT that every arm begins with"),
    sftRate: rateField(3e-3, "that SFT"),
    steps: stepsField(steps, "every arm after it"),
    learningRate: rateField(learningRate, "every arm"),
  };
}

/** The settings that {@link distillSettings} gives, beside the base ones. */
export interface DistillSettings extends BaseSettings {
  readonly teacher: StudentSize;
  readonly teacherSteps: number;
  readonly teacherRate: number;
  readonly sftSteps: number;
  readonly sftRate: number;
  readonly steps: number;
  readonly learningRate: number;
}

type DistillTrainer = Extract<StageRun["trainer"], { type: "distill" }>;
type FreeFields = Pick<DistillTrainer, "loss"> & Partial<DistillTrainer>;

/** The loss terms that a distillation can have. */
export type DistillLoss = DistillTrainer["loss"];

/** The three stages `teacher`, `sft` and `distil`; arms differ in the trainer of the last one. */
export function distillArm(s: DistillSettings, trainer: FreeFields): Stage[] {
  const { steps, learningRate } = s;
  const { teacher: size, teacherSteps, teacherRate } = s;
  const start = { student: freshStudent(s.student), steps: s.sftSteps, learningRate: s.sftRate };
  return [
    teacherStage("teacher", s, { size, steps: teacherSteps, learningRate: teacherRate }),
    sftStage("sft", s, start),
    trainStage("distil", s, {
      student: fromStage("sft"),
      teacher: { type: "model", from: "stage:teacher" },
      trainer: { steps, learningRate, warmupSteps: 10, ...trainer, type: "distill" },
    }),
  ];
}
