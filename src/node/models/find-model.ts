import { join } from "node:path";
import { PupilError } from "../../errors/index.js";
import { exists } from "../files/file-exists.js";
import { checkpointSteps } from "../runs/folder/run-folder.js";
import { verifyMark } from "./checkpoint-mark.js";

/** A model folder as it is, or the last checkpoint of a run folder. */
export async function findModelFolder(path: string): Promise<string> {
  if (!(await exists(join(path, "checkpoints")))) return path;
  const steps = await checkpointSteps(path);
  const last = steps.at(-1);
  if (last === undefined) {
    throw new PupilError("The run has no checkpoint yet.", {
      field: path,
      remedy: "Train it first, or give a model folder.",
    });
  }
  const folder = join(path, "checkpoints", `step-${last}`);
  try {
    await verifyMark(folder);
  } catch (cause) {
    if (!(cause instanceof PupilError)) throw cause;
    const others = steps.slice(0, -1).map((step) => join(path, "checkpoints", `step-${step}`));
    throw new PupilError(`The newest checkpoint of the run is broken: ${cause.message}`, {
      field: folder,
      remedy: others.length === 0 ? "Restore it." : `Give an older one: ${others.join(", ")}.`,
      cause,
    });
  }
  return folder;
}
