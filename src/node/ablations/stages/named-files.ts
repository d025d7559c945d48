import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

/** Of larger files size and time stand for what is in them. */
const mostBytes = 2 ** 26;

/**
 * What there is now under every string of a config that is the path of a file or folder: data, models,
 * modules. Files as SHA-256 of their content, large ones and those of folders by size and time of the last
 * change. Stages that are made of other files are other stages, whatever the files are called.
 */
export async function namedFiles(config: unknown): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const path of new Set(stringsOf(config))) {
    const state = await stateOf(path);
    if (state !== undefined) found[path] = state;
  }
  return found;
}

function stringsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(stringsOf);
}

async function stateOf(path: string): Promise<string | undefined> {
  // Texts with other uses, such as a prefix of prompts, are no paths; nor are "." and "/" as patterns.
  if (!/[\p{L}\p{N}]/u.test(path) || path.includes("\0")) return undefined;
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory()) return folderState(path);
  if (info?.isFile() !== true) return undefined;
  if (info.size > mostBytes) return `${info.size} ${info.mtimeMs}`;
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

async function folderState(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true });
  // Locks and files that are being written come and go.
  const lasting = names.filter((name) => !/(^|[\\/])\.|\.lock$/.test(name)).sort();
  const hash = createHash("sha256");
  for (const name of lasting) {
    const info = await stat(join(folder, name)).catch(() => undefined);
    if (info?.isFile() === true) hash.update(`${name} ${info.size} ${info.mtimeMs}\n`);
  }
  return hash.digest("hex");
}
