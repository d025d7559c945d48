import { join } from "node:path";
import { PupilError } from "../errors/index.js";
import type { LossState } from "../losses/index.js";
import { decodeSafetensors, encodeSafetensors } from "../models/index.js";
import type { AdamW } from "../optim/index.js";
import type { TeacherState } from "../teachers/index.js";
import { readBytes, readJson } from "./read-files.js";

type LossStateRecord = Readonly<Record<string, LossState>>;

const momentsFile = "optimizer.safetensors";
const teacherFile = "teacher.safetensors";
const stateFile = "trainer-state.json";

/**
 * What a checkpoint holds beside the model, so that a resumed run continues bit-exactly: the step,
 * the optimizer's moments and its update count, what losses remember, and what the teacher learned. Randomness needs no state:
 * every random number is a function of the seed and the step.
 */
export async function trainingStateFiles(
  step: number,
  optimizer: AdamW,
  lossStates: LossStateRecord | undefined,
  teacher?: TeacherState,
): Promise<Map<string, string | Uint8Array>> {
  const { updates, moments } = await optimizer.state();
  const learned = await teacher?.read();
  return new Map<string, string | Uint8Array>([
    [momentsFile, encodeSafetensors(new Map(moments), { dtype: "float32" })],
    ...(learned === undefined
      ? []
      : [[teacherFile, encodeSafetensors(learned, { dtype: "float32" })] as const]),
    [stateFile, `${JSON.stringify({ step, updates, lossStates }, null, 2)}\n`],
  ]);
}

/** Restores optimizer and teacher from a checkpoint folder; returns what losses had remembered. */
export async function restoreTrainingState(
  folder: string,
  optimizer: AdamW,
  teacher?: TeacherState,
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
  if (teacher !== undefined) {
    const path = join(folder, teacherFile);
    teacher.restore(decodeSafetensors(await readBytes(path, "teacher state"), path));
  }
  return state.lossStates ?? {};
}
