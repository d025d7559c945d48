import { join } from "node:path";
import { PupilError } from "../../errors/index.js";
import { exists } from "../files/file-exists.js";
import { checkpointSteps } from "../runs/run-folder.js";

/** A model folder as it is, or the last checkpoint of a run folder. */
export async function findModelFolder(path: string): Promise<string> {
  if (!(await exists(join(path, "checkpoints")))) return path;
  const last = (await checkpointSteps(path)).at(-1);
  if (last === undefined) {
    throw new PupilError("The run has no checkpoint yet.", {
      field: path,
      remedy: "Train it first, or give a model folder.",
    });
  }
  return join(path, "checkpoints", `step-${last}`);
}
