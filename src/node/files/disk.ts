import { mkdir, open, rename, rm, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { PupilError } from "../../errors/index.js";
import { exists } from "./file-exists.js";

/** A file that is open for writing. */
export interface OpenFile {
  /** Writes some of the bytes, at least one; returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Returns once what was written is on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Every way in which a run changes files. */
export interface Disk {
  makeFolder(path: string): Promise<void>;
  /** "wx" makes a new file, "a" appends, "r+" and "r" are for syncing a file or a folder. */
  open(path: string, flags: "wx" | "a" | "r+" | "r"): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  /** Cuts a file to its first bytes. */
  truncate(path: string, length: number): Promise<void>;
  /** Removes a file, or a folder with all in it; nothing if it is not there. */
  remove(path: string): Promise<void>;
}

const realDisk: Disk = {
  makeFolder: (path) => makeFolders(path),
  open: async (path, flags) => {
    const file = await open(path, flags);
    return {
      write: async (bytes) => (await file.write(bytes)).bytesWritten,
      sync: () => file.sync(),
      close: () => file.close(),
    };
  },
  rename,
  truncate,
  remove: (path) => rm(path, { recursive: true, force: true }),
};

/**
 * Makes a folder with those above it. Of a file system that is read-only Node says that the folder is not
 * there: what keeps the topmost missing one from being made is the reason.
 */
export async function makeFolders(path: string, make: typeof mkdir = mkdir): Promise<void> {
  try {
    await make(path, { recursive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    let missing = path;
    while (dirname(missing) !== missing && !(await exists(dirname(missing)))) {
      missing = dirname(missing);
    }
    await make(missing);
    await make(path, { recursive: true });
  }
}

let current = realDisk;

/** The disk that everything is written to. */
export const disk: Disk = {
  makeFolder: (path) => current.makeFolder(path),
  open: (path, flags) => current.open(path, flags),
  rename: (from, to) => current.rename(from, to),
  truncate: (path, length) => current.truncate(path, length),
  remove: (path) => current.remove(path),
};

/** Puts another disk in its place, such as one that fails; returns what puts the real one back. */
export function replaceDisk(make: (real: Disk) => Disk): () => void {
  current = make(realDisk);
  return () => {
    current = realDisk;
  };
}

/** The disk did not take what was to be written: there is nothing to be gained from writing more. */
export class DiskError extends PupilError {}

const reasons: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  ENOSPC: ["the disk is full", "Make room there."],
  EDQUOT: ["the quota of the disk is used up", "Make room there."],
  EFBIG: ["the file would be larger than the disk allows", "Use another disk."],
  EROFS: ["the disk is read-only", "Make it writable, or choose another folder."],
  EACCES: ["permission denied", "Change its permissions, or choose another folder."],
  EPERM: ["permission denied", "Change its permissions, or choose another folder."],
  ENOTDIR: ["a part of its path is a file", "Choose another folder."],
  EEXIST: ["there is something of that name", "Choose another folder."],
  ENOENT: ["its folder has vanished", "Bring the folder back, or begin again."],
  ESTALE: ["its folder has vanished", "Bring the folder back, or begin again."],
  EIO: ["the disk reports an error", "Look at the system's log."],
  EMFILE: ["too many files are open", "Raise the limit (ulimit -n)."],
};

/** What `write` gives; an error of the file system becomes a DiskError that names the path. */
export async function explainDiskErrors<T>(
  path: string,
  write: () => Promise<T>,
  problem = "cannot be written",
): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    // Anything else is a mistake of the program.
    if (cause instanceof PupilError || code === undefined) throw cause;
    const [reason, remedy] = reasons[code] ?? ["the system refuses it", "Look up its code."];
    throw new DiskError(`${problem}: ${reason} (${code}).`, { field: path, remedy, cause });
  }
}
