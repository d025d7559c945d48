import { realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { exists } from "../files/file-exists.js";
import { findFolders, isRunFolder } from "../runs/list-runs.js";

/** A folder that has something to show, by its path from the one that is viewed. */
export interface Place {
  readonly path: string;
  readonly kind: "run" | "ablation";
  /** Of its log, or of the ablation's plan, in milliseconds. */
  readonly changed: number;
}

/** The runs and ablations of a folder, the last changed ones first. Runs of an ablation are found by way of it. */
export async function findPlaces(root: string): Promise<Place[]> {
  const isPlace = async (path: string) => (await isAblation(path)) || (await isRunFolder(path));
  const found = await findFolders(root, isPlace);
  const places = await Promise.all(
    found.map(async (path): Promise<Place> => {
      const kind = (await isAblation(path)) ? "ablation" : "run";
      const file = join(path, kind === "run" ? "metrics.jsonl" : "ablation.json");
      return { path: urlPath(root, path), kind, changed: await changedAt(file) };
    }),
  );
  return places.sort((a, b) => b.changed - a.changed);
}

const isAblation = (path: string) => exists(join(path, "ablation.json"));
const urlPath = (root: string, path: string) => relative(root, path).split(sep).join("/") || ".";

/** When a file was last written, and how long it is; 0 where there is none. */
export async function changedAt(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.mtimeMs ?? 0;
}

/**
 * The folder that a path of an address means; undefined if it is not within the one that is viewed, by whatever dots and
 * links, or there is none.
 */
export async function folderAt(root: string, path: string): Promise<string | undefined> {
  if (path.includes("\0")) return undefined;
  try {
    const top = await realpath(root);
    const folder = await realpath(join(root, path));
    const isWithin = folder === top || folder.startsWith(top.endsWith(sep) ? top : top + sep);
    return isWithin ? folder : undefined;
  } catch {
    return undefined;
  }
}
