import { join } from "node:path";
import { z } from "zod";
import { currentExecutor } from "../../../backend/index.js";
import { PupilError, showValue } from "../../../errors/index.js";
import type { LossState } from "../../../losses/index.js";
import { decodeSafetensors, encodeSafetensors, type VariableState } from "../../../models/index.js";
import type { AdamW } from "../../../optim/index.js";
import { type Replay, type ReplayState, replayStateSchema } from "../../../rollouts/index.js";
import { toJson, withNumbers } from "../../files/json.js";
import { readBytes, readJson } from "../../files/read-files.js";

type LossStateRecord = Readonly<Record<string, LossState>>;

/** Files of what is learned beside the student. */
const learnedFiles = {
  teacher: "teacher.safetensors",
  projections: "projections.safetensors",
} as const;
/** Files that every checkpoint has beside its model. */
export const trainingFiles = {
  state: "trainer-state.json",
  moments: "optimizer.safetensors",
} as const;

const count = () => z.int().min(0);
/** Infinity and NaN too: a loss may remember the least value of none. */
const anyNumber = z.custom<number | null>((x) => x === null || typeof x === "number");

const trainerStateSchema = z.object({
  step: count(),
  updates: count(),
  lossStates: z.record(z.string(), z.record(z.string(), anyNumber)).optional(),
  /** What computed it; older checkpoints do not say. */
  executor: z.string().optional(),
});

/**
 * @param given as it stands in the file
 * @throws PupilError naming the field of a `trainer-state.json` that no run wrote
 */
export function parseTrainerState(
  given: unknown,
  path: string,
): z.output<typeof trainerStateSchema> {
  const json = withNumbers(given);
  const result = trainerStateSchema.safeParse(json);
  const fail = (field: string, value: unknown, expected: string): never => {
    throw new PupilError(`${field} is ${showValue(value)}, expected ${expected}.`, {
      field: path,
      value,
      remedy: "Resume from a checkpoint that a training run wrote.",
    });
  };
  if (!result.success) {
    const names = result.error.issues[0]?.path.map(String) ?? [];
    const value = names.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], json);
    const kinds: Record<string, string> = {
      lossStates: "a number or null for each name",
      executor: "a name",
    };
    const expected = kinds[names[0] ?? ""] ?? "a whole number from 0 on";
    return names.length === 0
      ? fail("The trainer state", json, "an object")
      : fail(names.join("."), value, expected);
  }
  const { step, updates } = result.data;
  if (updates > step) fail("updates", updates, `at most one per step (${step})`);
  return result.data;
}

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
    [trainingFiles.moments, encodeSafetensors(new Map(moments), { dtype: "float32" })],
    ...files,
    [trainingFiles.state, `${toJson({ step, updates, lossStates, executor }, 2)}\n`],
  ]);
}

function presentStates(learned: LearnedStates): [keyof LearnedStates, VariableState][] {
  const entries = Object.entries(learned) as [keyof LearnedStates, VariableState | undefined][];
  return entries.filter((entry): entry is [keyof LearnedStates, VariableState] => !!entry[1]);
}

/** What the user should know of a checkpoint that another executor than the current one wrote. */
export async function executorNotes(folder: string): Promise<string[]> {
  const path = join(folder, trainingFiles.state);
  const { executor } = parseTrainerState(await readJson(path, "trainer state"), path);
  const current = currentExecutor();
  if (executor === undefined || executor === current) return [];
  return [
    `The checkpoint was written on ${executor} and is continued on ${current}: ` +
      "the run is the same up to rounding, not bit for bit.",
  ];
}

/** Restores all that from a checkpoint folder; returns what losses had remembered. */
export async function restoreTrainingState(
  folder: string,
  optimizer: AdamW,
  learned: LearnedStates,
): Promise<LossStateRecord> {
  const statePath = join(folder, trainingFiles.state);
  const state = parseTrainerState(await readJson(statePath, "trainer state"), statePath);
  const momentsPath = join(folder, trainingFiles.moments);
  const moments = decodeSafetensors(await readBytes(momentsPath, "optimizer state"), momentsPath);
  optimizer.restore({ updates: state.updates, moments }, momentsPath);
  for (const [owner, owned] of presentStates(learned)) {
    const path = join(folder, learnedFiles[owner]);
    owned.restore(decodeSafetensors(await readBytes(path, `state of the ${owner}`), path));
  }
  return state.lossStates ?? {};
}

/** Rows that a student wrote in earlier steps and that later ones may learn again. */
const replayFile = "replay.json";

export function replayFiles(replay: Replay | undefined): Map<string, string> {
  return new Map(replay === undefined ? [] : [[replayFile, `${toJson(replay.state())}\n`]]);
}

/** @throws PupilError for a checkpoint without it, or with another file of its name */
export async function readReplay(folder: string): Promise<ReplayState> {
  const path = join(folder, replayFile);
  const result = replayStateSchema.safeParse(withNumbers(await readJson(path, "replay")));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new PupilError("This is no replay that a training run wrote.", {
    field: [path, ...(issue?.path.length ? [issue.path.join(".")] : [])].join(": "),
    remedy: "Resume from a checkpoint that a training run wrote.",
  });
}
