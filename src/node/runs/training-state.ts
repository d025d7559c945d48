import { join } from "node:path";
import { currentExecutor } from "../../backend/index.js";
import { PupilError } from "../../errors/index.js";
import type { LossState } from "../../losses/index.js";
import { decodeSafetensors, encodeSafetensors, type VariableState } from "../../models/index.js";
import type { AdamW } from "../../optim/index.js";
import { readBytes, readJson } from "../files/read-files.js";

type LossStateRecord = Readonly<Record<string, LossState>>;

const momentsFile = "optimizer.safetensors";
/** Files of what is learned beside the student. */
const learnedFiles = {
  teacher: "teacher.safetensors",
  projections: "projections.safetensors",
} as const;
const stateFile = "trainer-state.json";

/** What is learned beside the student, where a run has it. */
export type LearnedStates = Readonly<Record<keyof typeof learnedFiles, VariableState | undefined>>;

/**
 * What a checkpoint holds beside the model, so that a resumed run continues bit-exactly: the step,
 * the optimizer's moments and its update count, what losses remember, and what was learned beside the
 * student. It also says what it was computed on. Randomness needs no state: every random number is a function of the seed and the step.
 */
export async function trainingStateFiles(
  step: number,
  optimizer: AdamW,
  lossStates: LossStateRecord | undefined,
  learned: LearnedStates,
): Promise<Map<string, string | Uint8Array>> {
  const { updates, moments } = await optimizer.state();
  const executor = currentExecutor();
  const files: [string, Uint8Array][] = [];
  for (const [owner, state] of presentStates(learned)) {
    files.push([learnedFiles[owner], encodeSafetensors(await state.read(), { dtype: "float32" })]);
  }
  return new Map<string, string | Uint8Array>([
    [momentsFile, encodeSafetensors(new Map(moments), { dtype: "float32" })],
    ...files,
    [stateFile, `${JSON.stringify({ step, updates, lossStates, executor }, null, 2)}\n`],
  ]);
}

function presentStates(learned: LearnedStates): [keyof LearnedStates, VariableState][] {
  const entries = Object.entries(learned) as [keyof LearnedStates, VariableState | undefined][];
  return entries.filter((entry): entry is [keyof LearnedStates, VariableState] => !!entry[1]);
}

/** What the user should know of a checkpoint that another executor than the current one wrote. */
export async function executorNotes(folder: string): Promise<string[]> {
  const state = await readJson(join(folder, stateFile), "trainer state");
  const { executor } = state as { executor?: unknown };
  const current = currentExecutor();
  // Older checkpoints do not say.
  if (executor === undefined || executor === current) return [];
  return [
    `The checkpoint was written on ${String(executor)} and is continued on ${current}: ` +
      "the run is the same up to rounding, not bit for bit.",
  ];
}

/** Restores all that from a checkpoint folder; returns what losses had remembered. */
export async function restoreTrainingState(
  folder: string,
  optimizer: AdamW,
  learned: LearnedStates,
): Promise<LossStateRecord> {
  const statePath = join(folder, stateFile);
  const state = (await readJson(statePath, "trainer state")) as {
    updates?: unknown;
    lossStates?: LossStateRecord;
  };
  if (typeof state.updates !== "number") {
    throw new PupilError("The trainer state has no number of updates.", {
      field: statePath,
      remedy: "Resume from a checkpoint that a training run wrote.",
    });
  }
  const momentsPath = join(folder, momentsFile);
  const moments = decodeSafetensors(await readBytes(momentsPath, "optimizer state"), momentsPath);
  optimizer.restore({ updates: state.updates, moments });
  for (const [owner, owned] of presentStates(learned)) {
    const path = join(folder, learnedFiles[owner]);
    owned.restore(decodeSafetensors(await readBytes(path, `state of the ${owner}`), path));
  }
  return state.lossStates ?? {};
}
