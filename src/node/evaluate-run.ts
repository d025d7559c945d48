import { stat } from "node:fs/promises";
import { join } from "node:path";
import { applyOverrides, type RunConfig } from "../config/index.js";
import { PupilError } from "../errors/index.js";
import { buildRun } from "./build-run.js";
import { readJson } from "./read-files.js";
import type { RunEvaluation } from "./run-evaluation.js";
import { readRunConfig, withoutVersions } from "./run-folder.js";
import { parseRunConfig } from "./run-losses.js";

/** What `pupil evaluate` was asked to do: a run config whose student is the model to measure. */
export async function resolveEvaluation(
  path: string,
  words: readonly string[],
): Promise<RunConfig> {
  const model = words.find((word) => word.startsWith("model="))?.slice("model=".length);
  const overrides = words.filter((word) => !word.startsWith("model="));
  const { isFolder, config } = await resolveRunConfig(path, overrides);
  const trained = isFolder ? path : join(config.output, config.name);
  if (model === undefined && !isFolder && !(await isFolderPath(trained))) {
    throw new PupilError("This config has not been trained yet: there is no such run folder.", {
      field: trained,
      remedy: "Train it first, or name the model to measure: model=<folder>.",
    });
  }
  return { ...config, student: { from: model ?? trained } };
}

function isFolderPath(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

/** The config in a file or of a run folder, with overrides. */
export async function resolveRunConfig(
  path: string,
  overrides: readonly string[],
): Promise<{ isFolder: boolean; config: RunConfig }> {
  const isFolder = await isFolderPath(path);
  const stored = isFolder
    ? withoutVersions(await readRunConfig(path))
    : await readJson(path, "run config");
  const given = applyOverrides(stored, overrides);
  const source = isFolder ? join(path, "config.json") : path;
  return { isFolder, config: await parseRunConfig(given, source) };
}

/** Evaluates the student of a config without training it. Needs a started backend. */
export async function evaluateRun(config: RunConfig): Promise<RunEvaluation> {
  using parts = await buildRun(config, undefined);
  // Awaited here: the parts are released when this function ends.
  return await parts.evaluate();
}
