import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { readFile, readlink, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { PupilError } from "../../../errors/index.js";
import { unfinishedPrefix, writeAll } from "../../files/atomic.js";
import { disk, DiskError, explainDiskErrors } from "../../files/disk.js";
import { exists } from "../../files/file-exists.js";
import { readJson } from "../../files/read-files.js";

/** A run folder that only this process writes to. */
export interface RunLock {
  /** Throws a DiskError once the folder has vanished or is another process's. */
  check(): Promise<void>;
  release(): Promise<void>;
}

export const lockName = "run.lock";

/** Who holds a lock, and which file it was written to. */
interface Holder {
  readonly token: string;
  readonly pid: number;
  /** When the process began, in the kernel's count; only where /proc tells. */
  readonly started: string | null;
  readonly host: string;
  /** Of the running kernel: another one after every boot. */
  readonly boot: string | null;
  /** Process ids mean something within one of these (a container). */
  readonly pidNamespace: string | null;
  /** Of the lock file itself: a copy has another one. */
  readonly inode: string;
  /** Of the same file, other hosts have other numbers. */
  readonly device: string;
}

/** A holder that cannot be looked at shows that it lives, this often. */
const signOfLifeMs = 20_000;
/** Without one for so long, it is taken for dead. */
const silenceMs = 10 * 60_000;
/** So long a lock file may be empty, between its making and its writing. */
const makingMs = 10_000;

/**
 * Takes a run folder for this process. A lock left by a process that was killed is taken over, as is one
 * that came with a copy of the folder: see docs/decisions/0020-run-lock-and-logs.md.
 *
 * @param doing what the other process is said to do
 * @throws PupilError if another process holds it
 */
export async function lockRun(
  folder: string,
  doing = "training in this run folder",
): Promise<RunLock> {
  const taken = await tryLock(folder, lockName);
  if ("release" in taken) return taken;
  throw isUsed(folder, join(folder, lockName), taken.holder, doing);
}

export interface WaitForLockOptions {
  /** File of the lock. Default: that of run folders. */
  readonly name?: string;
  readonly signal: AbortSignal;
}

const betweenLooksMs = 200;

/** The same, but waits while another process holds the lock; undefined once the signal has aborted. */
export async function waitForLock(
  folder: string,
  { name = lockName, signal }: WaitForLockOptions,
): Promise<RunLock | undefined> {
  while (!signal.aborted) {
    const taken = await tryLock(folder, name);
    if ("release" in taken) return taken;
    await setTimeout(betweenLooksMs);
  }
  return undefined;
}

/** The lock, or who holds it as far as that is known. */
async function tryLock(
  folder: string,
  name: string,
): Promise<RunLock | { readonly holder: Holder | undefined }> {
  const path = join(folder, name);
  for (let attempt = 0; attempt < 3; attempt++) {
    const own = await makeLock(path);
    if (own !== undefined) return own;
    const found = await readLock(path);
    if (found === undefined) continue;
    if ((await isHeld(found)) || !(await removeStale(folder, name))) return found;
  }
  return { holder: undefined };
}

/** Whether a process holds a run folder now. */
export async function isLocked(folder: string): Promise<boolean> {
  const found = await readLock(join(folder, lockName));
  return found !== undefined && (await isHeld(found));
}

async function makeLock(path: string): Promise<RunLock | undefined> {
  const token = randomUUID();
  try {
    const file = await disk.open(path, "wx");
    try {
      await writeAll(file, Buffer.from(JSON.stringify(await describeSelf(path, token))));
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return undefined;
    await disk.remove(path).catch(() => undefined);
    return explainDiskErrors(path, () => Promise.reject(error as Error));
  }
  return holdLock(path, token);
}

function holdLock(path: string, token: string): RunLock {
  const timer = setInterval(() => {
    const now = new Date();
    void utimes(path, now, now).catch(() => undefined);
  }, signOfLifeMs).unref();
  // By what is written in it: a file that replaces another often gets its inode too.
  const isOwn = async () => (await readLock(path))?.holder?.token === token;
  // A process that ends in the middle of a step has no time for promises.
  const onExit = () => {
    if (existsSync(path) && readFileSync(path, "utf8").includes(token)) rmSync(path);
  };
  process.on("exit", onExit);
  const stop = () => {
    clearInterval(timer);
    process.off("exit", onExit);
  };
  return {
    check: async () => {
      if (await isOwn()) return;
      // What is there now is not ours to remove.
      stop();
      throw await lost(path);
    },
    release: async () => {
      stop();
      if (await isOwn()) await disk.remove(path).catch(() => undefined);
    },
  };
}

async function lost(path: string): Promise<DiskError> {
  const folder = join(path, "..");
  if (!(await exists(folder))) {
    return new DiskError("The run folder has vanished.", {
      field: folder,
      remedy: "Bring it back, or begin again.",
    });
  }
  return new DiskError("This process no longer holds the run folder: its lock was removed.", {
    field: path,
    remedy: "Another process may train here now; let only one do so.",
  });
}

async function describeSelf(path: string, token: string): Promise<Holder> {
  return {
    token,
    pid: process.pid,
    started: await startOf(process.pid),
    host: hostname(),
    boot: await bootId(),
    pidNamespace: await pidNamespace(),
    ...(await placeOf(path)),
  };
}

interface FoundLock {
  /** Undefined for a file that holds no lock. */
  readonly holder: Holder | undefined;
  readonly place: Place;
  readonly ageMs: number;
}

/** Undefined if it is gone by now. */
async function readLock(path: string): Promise<FoundLock | undefined> {
  const ageMs = await ageOf(path);
  const place = await placeOf(path);
  if (ageMs === undefined) return undefined;
  const holder = (await readJson(path).catch(() => undefined)) as Holder | undefined;
  const isWhole = typeof holder?.token === "string" && typeof holder.pid === "number";
  return {
    holder: isWhole ? holder : undefined,
    place,
    ageMs,
  };
}

async function isHeld({ holder, place, ageMs }: FoundLock): Promise<boolean> {
  if (holder === undefined) return ageMs < makingMs;
  const isHere = holder.host === hostname();
  const isCopy = holder.inode !== place.inode || (isHere && holder.device !== place.device);
  if (isCopy) return false;
  if (isHere && holder.boot !== (await bootId())) return false;
  const canLook = isHere && holder.pidNamespace === (await pidNamespace());
  if (!canLook) return ageMs < silenceMs;
  if (!isRunning(holder.pid)) return false;
  if (holder.started === null) return ageMs < silenceMs;
  // Another process may have got the number since.
  return holder.started === (await startOf(holder.pid));
}

/**
 * Removes a stale lock. Of several that found it, who makes the guard file does so, and looks at the lock
 * again: the one before may have taken it over already. False while another one is at it.
 */
async function removeStale(folder: string, name: string): Promise<boolean> {
  const path = join(folder, name);
  const guard = join(folder, `${unfinishedPrefix}${name}`);
  return explainDiskErrors(path, async () => {
    try {
      await (await disk.open(guard, "wx")).close();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const age = await ageOf(guard);
      if (age === undefined) return true;
      if (age < makingMs) return false;
      // Left by a process that was killed at this very place.
      await disk.remove(guard);
      return true;
    }
    try {
      const found = await readLock(path);
      if (found !== undefined && !(await isHeld(found))) await disk.remove(path);
    } finally {
      await disk.remove(guard);
    }
    return true;
  });
}

/** Milliseconds since a file was written; undefined if it is gone. */
async function ageOf(path: string): Promise<number | undefined> {
  const info = await stat(path).catch(() => undefined);
  return info && Date.now() - info.mtimeMs;
}

function isUsed(
  folder: string,
  path: string,
  holder: Holder | undefined,
  doing: string,
): PupilError {
  const who = holder === undefined ? "Another process" : `Process ${holder.pid} on ${holder.host}`;
  return new PupilError(`${who} is ${doing}.`, {
    field: folder,
    remedy: `Wait until it ends, or stop it. If there is no such process, delete ${path}.`,
  });
}

type Place = Pick<Holder, "inode" | "device">;

async function placeOf(path: string): Promise<Place> {
  const info = await stat(path, { bigint: true }).catch(() => undefined);
  return { inode: String(info?.ino), device: String(info?.dev) };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Field 22 of /proc/<pid>/stat; null too for a process that has ended and was not waited for. */
async function startOf(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The second field, a name, may hold blanks and parentheses.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? null : (fields[19] ?? null);
}

async function bootId(): Promise<string | null> {
  const text = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => undefined);
  return text?.trim() ?? null;
}

function pidNamespace(): Promise<string | null> {
  return readlink("/proc/self/ns/pid").catch(() => null);
}
