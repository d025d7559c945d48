import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { DataAccess } from "../../config/index.js";
import { isFolder } from "./file-exists.js";
import { downloadDataset } from "./hub-dataset.js";
import { openDataFile } from "./open-data-file.js";
import { createSpillFile } from "./spill-file.js";

/** Data files on disk and on the Hugging Face Hub, for `prepareData`. */
export function dataOnDisk(): DataAccess {
  return { open: openDataFile, list: listFolder, createSpillFile, download: downloadDataset };
}

/** All files below a folder, with `/`, or undefined where the path is no folder. */
export async function listFolder(path: string): Promise<string[] | undefined> {
  if (!(await isFolder(path))) return undefined;
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}
