import { join } from "node:path";
import { applyOverrides, type RunConfig } from "../../config/index.js";
import { PupilError } from "../../errors/index.js";
import { assembleModels, owning } from "./models/assemble-models.js";
import { isFolder } from "../files/file-exists.js";
import { readConfigFile } from "../files/read-config.js";
import { evaluatorOf, type RunEvaluation } from "./run-evaluation.js";
import { readRunConfig, refuseOwnLoop, withoutVersions } from "./folder/run-folder.js";
import { loadOwnComponents, parseRunConfig } from "../modules/own-components.js";
import { stepTermFromConfig } from "./training/run-terms.js";
import { isOfRun, requireTrust, takeTrust } from "../modules/trusted-modules.js";

export interface NotedEvaluation extends RunEvaluation {
  /** What to tell the user: rows left out, completions that the context cuts, how teacher and student fit. */
  readonly notes: readonly string[];
}

/** What `pupil evaluate` was asked to do: a run config whose student is the model to measure. */
export async function resolveEvaluation(
  path: string,
  words: readonly string[],
): Promise<RunConfig> {
  const model = words.find((word) => word.startsWith("model="))?.slice("model=".length);
  const overrides = words.filter((word) => !word.startsWith("model="));
  const { isRun, config } = await resolveRunConfig(path, overrides);
  const trained = isRun ? path : join(config.output, config.name);
  if (model === undefined && !(await isFolder(trained))) {
    throw new PupilError("This config has not been trained yet: there is no such run folder.", {
      field: trained,
      remedy: "Train it first, or name the model to measure: model=<folder>.",
    });
  }
  return { ...config, student: { from: model ?? trained } };
}

/** The config in a file or of a run folder, with overrides; `trust=true` lets a run folder run code. */
export async function resolveRunConfig(
  path: string,
  words: readonly string[],
): Promise<{ isRun: boolean; config: RunConfig }> {
  const { trusted, rest: overrides } = takeTrust(words);
  const isRun = await isFolder(path);
  const source = isRun ? join(path, "config.json") : path;
  const read = await (isRun ? readRunConfig(path) : readConfigFile(path, "run config"));
  const stored = withoutVersions(read);
  if (isRun) {
    refuseModelFolder(path, stored);
    refuseOwnLoop(path, read);
  }
  if (isRun || isOfRun(read)) await requireTrust(source, stored, trusted);
  const given = applyOverrides(stored, overrides);
  return { isRun, config: await parseRunConfig(given, source) };
}

/** A model's folder has a config.json too, which says nothing of data or teacher. */
function refuseModelFolder(path: string, stored: unknown): void {
  if (typeof stored !== "object" || stored === null || !("model_type" in stored)) return;
  const run = /^(.+)[\\/]checkpoints[\\/][^\\/]+[\\/]?$/.exec(path)?.[1];
  throw new PupilError("This is the folder of a model, not of a run: it names no data.", {
    field: path,
    remedy: `Give a run config or a run folder, and the model beside it: pupil evaluate ${run ?? "<config>"} model=${path}.`,
  });
}

/**
 * Evaluates the student of a config without training it. Needs a started backend. The trainer of the
 * config has no say: a student may be measured against another teacher than it learned from.
 */
export async function evaluateRun(config: RunConfig): Promise<NotedEvaluation> {
  const components = await loadOwnComponents(config);
  const loss = config.trainer.loss.map((term) => stepTermFromConfig(term, components.losses));
  using models = await owning((own) =>
    assembleModels(config, { loss, components, trains: false }, own),
  );
  const { data, loadedTeacher } = models;
  const notes = [...data.notes, ...models.notes, ...(loadedTeacher?.notes ?? [])];
  // Awaited here: the models are released when this function ends.
  const parts = { ...models, ownRewards: components.rewards };
  return { ...(await evaluatorOf(config, parts)()), notes };
}
