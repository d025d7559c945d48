import { readdir } from "node:fs/promises";
import { PupilError } from "../../errors/index.js";

/** An output never takes the place of something else: its folder must be empty, or not exist. */
export async function requireEmptyFolder(path: string): Promise<void> {
  const entries = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new PupilError("The output is not a folder.", {
      field: path,
      remedy: "Choose another output folder.",
      cause: error,
    });
  });
  if (entries.length === 0) return;
  throw new PupilError(`The output folder is not empty (${entries.slice(0, 3).join(", ")}).`, {
    field: path,
    remedy: "Give another folder, or delete this one.",
  });
}
