import { join } from "node:path";
import { PupilError } from "../errors/index.js";
import type { LossState } from "../losses/index.js";
import { decodeSafetensors, encodeSafetensors } from "../models/index.js";
import type { AdamW } from "../optim/index.js";
import { readBytes, readJson } from "./read-files.js";

type LossStateRecord = Readonly<Record<string, LossState>>;

const momentsFile = "optimizer.safetensors";
const stateFile = "trainer-state.json";

/**
 * What a checkpoint holds beside the model, so that a resumed run continues bit-exactly: the step,
 * the optimizer's moments and its update count, and what losses remember. Randomness needs no state:
 * every random number is a function of the seed and the step.
 */
export async function trainingStateFiles(
  step: number,
  optimizer: AdamW,
  lossStates: LossStateRecord | undefined,
): Promise<Map<string, string | Uint8Array>> {
  const { updates, moments } = await optimizer.state();
  return new Map<string, string | Uint8Array>([
    [momentsFile, encodeSafetensors(new Map(moments), { dtype: "float32" })],
    [stateFile, `${JSON.stringify({ step, updates, lossStates }, null, 2)}\n`],
  ]);
}

/** Restores the optimizer from a checkpoint folder; returns what losses had remembered. */
export async function restoreTrainingState(
  folder: string,
  optimizer: AdamW,
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
  return state.lossStates ?? {};
}
