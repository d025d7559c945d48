import { z } from "zod";
import type { Stage, StageRun } from "../../config/index.js";
import { type BaseSettings, isTask, rateField, sizeField, stepsField } from "./settings.js";
import { madeOnce, trainStage } from "./stages.js";
import { freshStudent, type StudentSize } from "./students.js";

type RankTrainer = Extract<StageRun["trainer"], { type: "rank" }>;

/** The loss terms that a trainer of rankings can have. */
export type RankLoss = RankTrainer["loss"];

/** Fields of methods that train a ranker, with or without the scores of a larger one. */
export function rankSettings() {
  return {
    teacher: sizeField("S0w", "teacher"),
    teacherSteps: stepsField(800, "the teacher, which is trained once for all seeds"),
    teacherRate: rateField(2e-3, "the teacher"),
    steps: stepsField(800, "the first stage"),
    learningRate: rateField(1e-3, "the first stage"),
    candidates: z.int().min(2).default(4).describe("Passages of a query in a step."),
  };
}

/** The settings that {@link rankSettings} gives, beside the base ones. */
export interface RankSettings extends BaseSettings {
  readonly teacher: StudentSize;
  readonly teacherSteps: number;
  readonly teacherRate: number;
  readonly steps: number;
  readonly learningRate: number;
  readonly candidates: number;
}

/** Room for lists of a task as text, of which a ranker may go on to learn. */
const textPositions = 1024;

/**
 * The stage `first`, before it `teacher` where its scores are learned too. The teacher learns grades. Rows
 * of files are read as bytes.
 */
export function rankArm(
  s: RankSettings,
  loss: RankLoss,
  { teacher }: { readonly teacher: boolean },
): Stage[] {
  const isText = isTask(s.problems);
  const tokenizer = isText ? {} : { tokenizer: { type: "byte" } as const };
  const usual = { type: "rank", schedule: "cosine", warmupSteps: 10 } as const;
  const quiet = { ...s, evaluateEvery: 0 };
  const made = trainStage("teacher", quiet, {
    ...{ student: freshStudent(s.teacher), ...tokenizer },
    trainer: {
      ...{ ...usual, steps: s.teacherSteps, learningRate: s.teacherRate },
      loss: [{ type: "rank-net", scores: "grades" }],
    },
  });
  const first = trainStage("first", s, {
    ...{ student: freshStudent(s.student, isText ? textPositions : undefined), ...tokenizer },
    trainer: {
      ...{ ...usual, loss, steps: s.steps, learningRate: s.learningRate },
      candidates: s.candidates,
      ...(teacher ? { scores: { type: "model", from: "stage:teacher" } as const } : {}),
    },
  });
  return teacher ? [madeOnce(made), first] : [first];
}
