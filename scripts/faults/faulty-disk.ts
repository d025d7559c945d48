import type { Disk, OpenFile } from "../../src/node/index.js";

/** What happens at the n-th call, and at those after it. */
export interface Fault {
  readonly name: string;
  /** How much of a write at the n-th call is done all the same. */
  readonly written: "nothing" | "half" | "all";
  /** Code of the error; of a killed process no call ever comes back. */
  readonly code: string;
  /** Whether all later calls fail too, as they do once the process is dead. */
  readonly forGood: boolean;
}

export const faults: readonly Fault[] = [
  { name: "killed before", written: "nothing", code: "KILLED", forGood: true },
  { name: "killed within a write", written: "half", code: "KILLED", forGood: true },
  { name: "killed after", written: "all", code: "KILLED", forGood: true },
  { name: "disk full, for good", written: "half", code: "ENOSPC", forGood: true },
  { name: "disk full, once", written: "half", code: "ENOSPC", forGood: false },
  { name: "disk read-only, for good", written: "nothing", code: "EROFS", forGood: true },
  { name: "an error of the disk, once", written: "nothing", code: "EIO", forGood: false },
];

export interface FaultyDisk {
  readonly disk: Disk;
  /** Calls so far. */
  calls(): number;
  /** What the n-th call was; undefined if it was not reached. */
  failed(): string | undefined;
}

/** A disk on which the `n`-th call that changes something (from 1) fails. */
export function faultyDisk(real: Disk, fault: Fault, n: number): FaultyDisk {
  let calls = 0;
  let failed: string | undefined;
  const call = async <T>(
    name: string,
    doIt: () => Promise<T>,
    doHalf?: () => Promise<unknown>,
  ): Promise<T> => {
    calls++;
    const isDown = calls === n || (calls > n && fault.forGood);
    if (!isDown) return doIt();
    if (calls === n) failed = name;
    if (calls === n && fault.written === "all") await closed(await doIt());
    if (calls === n && fault.written === "half") await doHalf?.();
    throw Object.assign(new Error(`call ${calls}: ${fault.name}`), { code: fault.code });
  };
  const faulty = (file: OpenFile): OpenFile => ({
    write: (bytes) =>
      call(
        "write",
        () => file.write(bytes),
        () => file.write(bytes.subarray(0, Math.floor(bytes.length / 2))),
      ),
    sync: () => call("sync", () => file.sync()),
    close: () => file.close(),
  });
  const disk: Disk = {
    makeFolder: (path) => call("makeFolder", () => real.makeFolder(path)),
    open: (path, flags) => call("open", async () => faulty(await real.open(path, flags))),
    rename: (from, to) => call("rename", () => real.rename(from, to)),
    truncate: (path, length) => call("truncate", () => real.truncate(path, length)),
    remove: (path) => call("remove", () => real.remove(path)),
  };
  return { disk, calls: () => calls, failed: () => failed };
}

/** What a process has open is closed for it, whatever happens. */
async function closed(result: unknown): Promise<void> {
  await (result as OpenFile | undefined)?.close();
}

/** A disk that takes a few bytes at a time. */
export function shortWrites(real: Disk, most: number): Disk {
  return {
    ...real,
    open: async (path, flags) => {
      const file = await real.open(path, flags);
      return { ...file, write: (bytes) => file.write(bytes.subarray(0, most)) };
    },
  };
}
