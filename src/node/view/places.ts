import { readdir, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";

/** A folder that has something to show, by its path from the one that is viewed. */
export interface Place {
  readonly path: string;
  readonly kind: "run" | "ablation";
  /** Of its log, or of the ablation's plan, in milliseconds. */
  readonly changed: number;
}

/** How deep runs and ablations lie, at most. */
const deepest = 3;

/** The runs and ablations of a folder, the last changed ones first. Runs of an ablation are found by way of it. */
export async function findPlaces(root: string): Promise<Place[]> {
  const places: Place[] = [];
  // One look into each folder: there may be thousands.
  const look = async (path: string, depth: number): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    const has = (name: string) => entries.some((entry) => entry.name === name);
    const isAblation = has("ablation.json");
    if (isAblation || (has("config.json") && has("checkpoints"))) {
      const kind = isAblation ? "ablation" : "run";
      const file = join(path, isAblation ? "ablation.json" : "metrics.jsonl");
      const own = relative(root, path).split(sep).join("/") || ".";
      places.push({ path: own, kind, changed: await changedAt(file) });
      return;
    }
    const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith("."));
    if (depth < deepest) await Promise.all(folders.map(({ name }) => look(join(path, name), depth + 1)));
  };
  await look(root, 0);
  return places.sort((a, b) => b.changed - a.changed || a.path.localeCompare(b.path));
}

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
