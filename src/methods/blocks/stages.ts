import type { Stage, StageRun } from "../../config/index.js";
import type { BaseSettings } from "./settings.js";
import { freshStudent, type StudentSize } from "./students.js";

/** A run config of which the common parts may be left out. */
export type TrainStageOptions = Pick<StageRun, "student" | "trainer"> & Partial<StageRun>;

/**
 * A stage that trains. What a run says beside student and trainer is by default that of the settings: data,
 * rows per step, evaluations. With other data it is still evaluated on the problems.
 */
export function trainStage(
  name: string,
  settings: BaseSettings,
  options: TrainStageOptions,
): Stage {
  const { problems, batchSize, evaluationRows, evaluateEvery } = settings;
  const { trainer, evaluation, ...rest } = options;
  return {
    name,
    run: {
      data: problems,
      ...rest,
      trainer: { batchSize, ...trainer },
      evaluation: {
        ...{ every: evaluateEvery, rows: evaluationRows },
        ...(options.data === undefined ? {} : { data: problems }),
        ...evaluation,
      },
    },
  };
}

/** A stage that collects traces or pairs: `stage:<name>` is their file. */
export function collectStage(name: string, config: Readonly<Record<string, unknown>>): Stage {
  return { name, collect: config };
}

/**
 * A stage that takes what the best of its candidates made: `stage:<name>` is that. For each candidate the
 * stage whose product is taken, and the one whose measure decides.
 */
export function chooseStage(
  name: string,
  metric: string,
  candidates: Readonly<Record<string, { readonly take: string; readonly score: string }>>,
  direction: "highest" | "lowest" = "highest",
): Stage {
  const named = Object.entries(candidates).map(([candidate, { take, score }]) => [
    candidate,
    { take: `stage:${take}`, score: `stage:${score}` },
  ]);
  return { name, choose: { metric, direction, candidates: Object.fromEntries(named) } };
}

/** The same stage, made once with seed 1 for all seeds. */
export function madeOnce(stage: Stage): Stage {
  return { ...stage, once: true };
}

export interface SftStageOptions {
  readonly student: StageRun["student"];
  readonly steps: number;
  readonly learningRate: number;
  readonly data?: StageRun["data"];
  /** Beside that of the settings: other problems, or another number of them. */
  readonly evaluation?: StageRun["evaluation"];
}

/** Supervised fine-tuning on the worked solutions of the problems, or on other data. */
export function sftStage(
  name: string,
  settings: BaseSettings,
  { steps, learningRate, ...options }: SftStageOptions,
): Stage {
  const trainer = {
    type: "sft",
    steps,
    learningRate,
    schedule: "cosine",
    warmupSteps: 10,
  } as const;
  return trainStage(name, settings, { ...options, trainer });
}

/** A teacher that was trained on the worked solutions: one for all seeds and arms. */
export function teacherStage(
  name: string,
  settings: BaseSettings,
  { size, steps, learningRate }: { size: StudentSize; steps: number; learningRate: number },
): Stage {
  const quiet = { ...settings, evaluateEvery: 0 };
  return madeOnce(sftStage(name, quiet, { student: freshStudent(size), steps, learningRate }));
}
