import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { requireMember } from "../../errors/index.js";
import type { FileContent } from "../../folders/index.js";
import { disk, explainDiskErrors, type OpenFile } from "./disk.js";
import { exists, isFolder } from "./file-exists.js";

/** Marks what is being written; a reader ignores it and a resumed run removes it. */
export const unfinishedPrefix = ".unfinished-";

/** Followed by a folder's name, a dash and a UUID: what is replaced in this moment. */
const asidePrefix = `${unfinishedPrefix}old-`;

/** What is being removed: it is not put back. */
const removedPrefix = `${unfinishedPrefix}removed-`;

type Piece = string | Uint8Array;

/**
 * Makes a folder with those above it.
 *
 * @throws DiskError naming `output`, by default the folder, where that is not possible
 */
export function makeFolder(path: string, output = path): Promise<void> {
  return explainDiskErrors(output, () => disk.makeFolder(path), "The folder cannot be made");
}

/** Writes a file so that a reader sees the old content or the new, never a part, also after a power cut. */
export async function writeFileAtomic(
  path: string,
  content: Piece | AsyncIterable<Piece>,
): Promise<void> {
  const folder = dirname(path);
  await makeFolder(folder);
  const temporary = join(folder, `${unfinishedPrefix}${basename(path)}-${randomUUID()}`);
  await orRemove(path, temporary, async () => {
    await writeAndSync(temporary, content);
    await disk.rename(temporary, path);
    await syncPath(folder);
  });
}

/**
 * Writes a folder of files so that it exists complete or not at all: every file is written and
 * synced under a temporary name beside it, then the folder is renamed. An existing folder is
 * replaced only after the new one is complete. A name may have folders in it: `onnx/model.onnx`.
 */
export async function writeFolderAtomic(
  path: string,
  files: ReadonlyMap<string, FileContent>,
): Promise<void> {
  requireMember(files, "entries", {
    field: "writeFolderAtomic: files",
    remedy: "Give it a map of contents by name: new Map([[name, content]]).",
  });
  const parent = dirname(path);
  await makeFolder(parent);
  const temporary = join(parent, `${unfinishedPrefix}${basename(path)}-${randomUUID()}`);
  await orRemove(path, temporary, async () => {
    await disk.makeFolder(temporary);
    const folders = new Set([temporary]);
    for (const [name, content] of files) {
      const folder = dirname(join(temporary, name));
      if (!folders.has(folder)) await disk.makeFolder(folder);
      folders.add(folder);
      await writeAndSync(join(temporary, name), content);
    }
    for (const folder of folders) await syncPath(folder);
    await replaceFolder(temporary, path);
    await syncPath(parent);
  });
}

/** Appends to a file, which is made if it is not there. */
export function appendToFile(path: string, text: string): Promise<void> {
  return explainDiskErrors(path, async () => {
    const file = await disk.open(path, "a");
    try {
      await writeAll(file, Buffer.from(text));
    } finally {
      await file.close();
    }
  });
}

/** Returns once what was written to the file is on the disk. */
export function syncFile(path: string): Promise<void> {
  return explainDiskErrors(path, () => syncPath(path));
}

/** Removes a file, or a folder with all in it; nothing if it is not there. */
export function removePath(path: string): Promise<void> {
  return explainDiskErrors(path, () => disk.remove(path));
}

/** Removes a folder so that it is there whole or not at all. */
export function removeFolderAtomic(path: string): Promise<void> {
  return explainDiskErrors(path, async () => {
    await disk.remove(await setAside(path, removedPrefix));
  });
}

/**
 * Removes what a killed process left half-written in a folder. A folder that was moved aside to be
 * replaced, and was not, is put back.
 */
export async function removeUnfinished(parent: string): Promise<void> {
  const names = await readdir(parent).catch((): string[] => []);
  for (const name of names.filter((candidate) => candidate.startsWith(unfinishedPrefix))) {
    const path = join(parent, name);
    const replaced = name.startsWith(asidePrefix) ? name.slice(asidePrefix.length, -37) : undefined;
    if (replaced === undefined || names.includes(replaced)) await removePath(path);
    else await explainDiskErrors(path, () => disk.rename(path, join(parent, replaced)));
  }
}

async function writeAndSync(
  path: string,
  content: FileContent | AsyncIterable<Piece>,
): Promise<void> {
  const whole = typeof content === "function" ? content() : content;
  const isInPieces = typeof whole === "object" && Symbol.asyncIterator in whole;
  const file = await disk.open(path, "wx");
  try {
    for await (const piece of isInPieces ? whole : [whole]) {
      await writeAll(file, typeof piece === "string" ? Buffer.from(piece) : piece);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A disk may take less than it is given. */
export async function writeAll(file: OpenFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += await file.write(bytes.subarray(written));
  }
}

/** Runs `write`; where it fails, what it began is removed and the error names the path. */
function orRemove(path: string, temporary: string, write: () => Promise<void>): Promise<void> {
  return explainDiskErrors(path, async () => {
    try {
      await write();
    } catch (error) {
      // Why it failed matters more than that its remains cannot be removed either.
      await disk.remove(temporary).catch(() => undefined);
      throw error;
    }
  });
}

async function replaceFolder(temporary: string, path: string): Promise<void> {
  if (!(await exists(path))) return disk.rename(temporary, path);
  const old = await setAside(path, asidePrefix);
  try {
    await disk.rename(temporary, path);
  } catch (error) {
    await disk.rename(old, path);
    throw error;
  }
  await disk.remove(old);
}

/** Gives a folder a name that readers ignore. */
async function setAside(path: string, prefix: string): Promise<string> {
  const old = join(dirname(path), `${prefix}${basename(path)}-${randomUUID()}`);
  await disk.rename(path, old);
  return old;
}

/** Of a folder: makes renames in it durable. Windows cannot open folders; there they are skipped. */
async function syncPath(path: string): Promise<void> {
  const isDirectory = await isFolder(path);
  if (isDirectory && process.platform === "win32") return;
  const file = await disk.open(path, isDirectory ? "r" : "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
