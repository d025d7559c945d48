import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import writeFileAtomicLibrary from "write-file-atomic";
import { PupilError } from "../../errors/index.js";

/** Marks folders that are being written; a reader ignores them and a resumed run removes them. */
export const unfinishedPrefix = ".unfinished-";

/** Followed by a folder's name, a dash and a UUID: what is replaced in this moment. */
const asidePrefix = `${unfinishedPrefix}old-`;

/** Content of a file, or a function that makes it when its turn comes. */
export type FileContent = string | Uint8Array | (() => Uint8Array);

/**
 * Makes a folder with those above it.
 *
 * @throws PupilError naming `output`, by default the folder, where that is not possible
 */
export async function makeFolder(path: string, output = path): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      ENOTDIR: "a part of its path is a file",
      EEXIST: "a part of its path is a file",
      EACCES: "permission denied",
      EROFS: "the disk is read-only",
      ENOSPC: "the disk is full",
    };
    throw new PupilError(`The folder cannot be made: ${reasons[code ?? ""] ?? String(code)}.`, {
      field: output,
      remedy: "Choose another output folder.",
      cause,
    });
  }
}

/** Writes a file so that a reader sees the old content or the new, never a part. */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  await makeFolder(dirname(path));
  const data = typeof content === "string" ? content : Buffer.from(content);
  // Writes and syncs under another name, then renames; the rename lasts once the folder is synced.
  await writeFileAtomicLibrary(path, data);
  await syncFolder(dirname(path));
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
  const parent = dirname(path);
  await makeFolder(parent);
  const temporary = join(parent, `${unfinishedPrefix}${basename(path)}-${randomUUID()}`);
  await mkdir(temporary);
  try {
    const folders = new Set([temporary]);
    for (const [name, content] of files) {
      const folder = dirname(join(temporary, name));
      if (!folders.has(folder)) await mkdir(folder, { recursive: true });
      folders.add(folder);
      await writeAndSync(join(temporary, name), content);
    }
    for (const folder of folders) await syncFolder(folder);
    await replaceFolder(temporary, path);
    await syncFolder(parent);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Removes what a killed process left half-written in a folder. A folder that was moved aside to be
 * replaced, and was not, is put back.
 */
export async function removeUnfinished(parent: string): Promise<void> {
  const names = await readdir(parent).catch((): string[] => []);
  for (const name of names.filter((candidate) => candidate.startsWith(unfinishedPrefix))) {
    const replaced = name.startsWith(asidePrefix) ? name.slice(asidePrefix.length, -37) : undefined;
    if (replaced !== undefined && !names.includes(replaced)) {
      await rename(join(parent, name), join(parent, replaced));
    } else await rm(join(parent, name), { recursive: true });
  }
}

async function writeAndSync(path: string, content: FileContent): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(typeof content === "function" ? content() : content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function replaceFolder(temporary: string, path: string): Promise<void> {
  const old = join(dirname(path), `${asidePrefix}${basename(path)}-${randomUUID()}`);
  let replaced = true;
  await rename(path, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    replaced = false;
  });
  await rename(temporary, path);
  if (replaced) await rm(old, { recursive: true, force: true });
}

/** Makes renames in a folder durable. Windows cannot open folders; there it is skipped. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
