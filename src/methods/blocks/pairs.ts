import type { Stage, StageRun } from "../../config/index.js";
import type { BaseSettings } from "./settings.js";
import { trainStage } from "./stages.js";
import { fromStage } from "./students.js";
import { tracesStage } from "./traces.js";

/** How a student is trained by DPO. */
export interface DpoStageOptions {
  /** The stage that it begins with, and is held to. */
  readonly from: string;
  readonly steps: number;
  readonly learningRate: number;
  readonly beta: number;
  readonly evaluation?: StageRun["evaluation"];
}

/** The stage `dpo`, on the rows of an earlier stage `pairs`. */
export function dpoStage(
  settings: BaseSettings,
  { from, steps, learningRate, beta, evaluation }: DpoStageOptions,
): Stage {
  return trainStage("dpo", settings, {
    student: fromStage(from),
    data: { type: "pairs", path: "stage:pairs" },
    teacher: { type: "model", from: `stage:${from}` },
    trainer: {
      ...{ type: "pairs", steps, learningRate, warmupSteps: 10 },
      loss: [{ type: "dpo", beta }],
    },
    ...(evaluation && { evaluation }),
  });
}

/** Behind all problems that methods train on. */
const unseen = 1_000_000;

/**
 * Rows that ask for a correction, for `askRowsOf`: problems that an earlier stage's student gets wrong, with
 * its attempt as far as the first error, and a mark behind that.
 */
export function begunStage(
  name: string,
  settings: BaseSettings,
  {
    student,
    count,
    mark,
  }: { readonly student: string; readonly count: number; readonly mark: string },
): Stage {
  return tracesStage(name, settings, {
    ...{ start: unseen, count, student: `stage:${student}` },
    sampler: { type: "plain", samplesPerProblem: 1 },
    pairs: { type: "self-correction", mark },
  });
}
