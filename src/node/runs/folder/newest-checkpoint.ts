import { readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { PupilError } from "../../../errors/index.js";
import { openCheckpoint } from "../../../folders/index.js";
import {
  adapterFiles,
  readSafetensorsHeader,
  type SafetensorsEntry,
} from "../../../models/index.js";
import { diskFolder } from "../../files/disk-folder.js";
import { isFile } from "../../files/file-exists.js";
import { readJson } from "../../files/read-files.js";
import { parseTrainerState, trainingFiles } from "./training-state.js";
import { verifyMark } from "../../models/checkpoint-mark.js";

/** What a run goes on from. */
export interface FoundCheckpoint {
  /** 0 where there is none. */
  readonly step: number;
  /** What was found on the way, for the user. */
  readonly notes: readonly string[];
}

/**
 * The newest checkpoint of a run that is whole. One that is not is moved aside, to `broken-step-7`, so
 * that it hides no older one and is not taken for a good one later.
 *
 * @param steps of the folders `step-7` in `checkpoints`, ascending
 * @throws PupilError if there are checkpoints and none is whole
 */
export async function newestWholeCheckpoint(
  checkpoints: string,
  steps: readonly number[],
): Promise<FoundCheckpoint> {
  const broken: { readonly step: number; readonly reason: string }[] = [];
  for (const step of [...steps].reverse()) {
    try {
      const hasMark = await checkCheckpoint(join(checkpoints, `step-${step}`), step);
      const notes: string[] = [];
      for (const { step: other, reason } of broken) {
        const aside = await moveAside(checkpoints, other);
        notes.push(
          `The checkpoint of step ${other} is broken and was moved to ${aside}: ${reason}`,
        );
      }
      if (broken.length > 0) notes.push(`Step ${step} is the newest that is whole.`);
      if (!hasMark) notes.push(withoutMark(step));
      return { step, notes };
    } catch (error) {
      if (!(error instanceof PupilError)) throw error;
      broken.push({ step, reason: error.message });
    }
  }
  if (broken.length === 0) return { step: 0, notes: [] };
  const reasons = broken.map(({ step, reason }) => `Step ${step}: ${reason}`).join(" ");
  throw new PupilError(`None of its ${steps.length} checkpoints is whole. ${reasons}`, {
    field: checkpoints,
    remedy: "Restore one from a copy, or start the run again under another name.",
  });
}

function withoutMark(step: number): string {
  return `The checkpoint of step ${step} has no mark with hashes (an older version wrote it): its files can be read, but were not compared.`;
}

/**
 * Checks that a checkpoint is what a run wrote at a step.
 *
 * @returns whether its files were compared with a mark
 * @throws PupilError that says what is wrong
 */
export async function checkCheckpoint(folder: string, step: number): Promise<boolean> {
  const hasMark = await verifyMark(folder);
  const statePath = join(folder, trainingFiles.state);
  const state = parseTrainerState(await readJson(statePath, "trainer state"), statePath);
  if (state.step !== step) {
    throw new PupilError(`The trainer state is of step ${state.step}, its folder of ${step}.`, {
      field: statePath,
    });
  }
  if (!hasMark) await checkReadable(folder);
  return hasMark;
}

/** What can be said of a checkpoint without hashes: everything is there and as long as it says. */
async function checkReadable(folder: string): Promise<void> {
  const isAdapter = await isFile(join(folder, adapterFiles.config));
  await readJson(join(folder, isAdapter ? adapterFiles.config : "config.json"), "model config");
  await readJson(join(folder, "tokenizer.json"), "tokenizer");
  if (!isAdapter) await openCheckpoint(diskFolder(folder));
  const names = (await readdir(folder)).filter((name) => name.endsWith(".safetensors"));
  for (const required of [trainingFiles.moments, ...(isAdapter ? [adapterFiles.weights] : [])]) {
    if (names.includes(required)) continue;
    throw new PupilError("The file is missing.", { field: join(folder, required) });
  }
  const shapes = new Map<string, string>();
  const moments: SafetensorsEntry[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const entries = readSafetensorsHeader(await readFile(path), path);
    if (name === trainingFiles.moments) moments.push(...entries);
    else for (const entry of entries) shapes.set(entry.name, entry.shape.join(", "));
  }
  // Of another model's optimizer, which is whole by itself.
  for (const { name, shape } of moments) {
    const expected = shapes.get(name.replace(/\.(first|second)Moment$/, ""));
    if (expected === undefined || expected === shape.join(", ")) continue;
    throw new PupilError(`${name} has the shape [${shape.join(", ")}], its weight [${expected}].`, {
      field: join(folder, trainingFiles.moments),
    });
  }
}

async function moveAside(checkpoints: string, step: number): Promise<string> {
  const taken = await readdir(checkpoints);
  let name = `broken-step-${step}`;
  for (let i = 2; taken.includes(name); i++) name = `broken-step-${step}-${i}`;
  await rename(join(checkpoints, `step-${step}`), join(checkpoints, name));
  return join(checkpoints, name);
}
