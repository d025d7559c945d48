/** What a lock leaves on the disk, and what becomes of it where the disk does something else. */
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { DiskError } from "../../../../../src/node/files/disk.js";
import {
  isLocked,
  lockName,
  lockRun,
  waitForLock,
} from "../../../../../src/node/runs/folder/run-lock.js";
import { diskCalls, diskError } from "../../../../setup/runs/disk-calls.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

const read = (folder: string, name = lockName) =>
  JSON.parse(readFileSync(join(folder, name), "utf8")) as Record<string, unknown>;

/** Makes a lock file look as old. */
const age = (folder: string, seconds: number, name = lockName) => {
  const then = Date.now() / 1000 - seconds;
  utimesSync(join(folder, name), then, then);
};

describe("a lock", () => {
  test("says who holds it, and which file it is", async () => {
    const folder = temporaryFolder();
    const lock = await lockRun(folder);
    const { ino, dev } = statSync(join(folder, lockName), { bigint: true });
    const ofLinux = async (path: string) => (await readFile(path, "utf8").catch(() => "")).trim();
    const stat = await ofLinux("/proc/self/stat");
    const boot = await ofLinux("/proc/sys/kernel/random/boot_id");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    expect(read(folder)).toEqual({
      ...{ token: expect.stringMatching(/^[\da-f-]{36}$/) as string, pid: process.pid },
      ...{ started: fields[19] ?? null, host: hostname(), boot: boot || null },
      pidNamespace: await readlink("/proc/self/ns/pid").catch(() => null),
      ...{ inode: String(ino), device: String(dev) },
    });
    await lock.release();
  });

  test("is looked at by others, and by none where there is none", async () => {
    const folder = temporaryFolder();
    expect(await isLocked(folder)).toBe(false);
    const lock = await lockRun(folder);
    expect(await isLocked(folder)).toBe(true);
    await lock.release();
    expect(await isLocked(folder)).toBe(false);
    // Of a process that is no more: nobody holds it.
    writeFileSync(join(folder, lockName), "");
    expect(await isLocked(folder)).toBe(true);
    age(folder, 11);
    expect(await isLocked(folder)).toBe(false);
  });

  test("that holds something else is one that is being made, for some seconds", async () => {
    const folder = temporaryFolder();
    for (const text of ['{"token":"x"}', '{"pid":3}', "[]", "null", "3", '{"token":3,"pid":3}']) {
      writeFileSync(join(folder, lockName), text);
      expect(await isLocked(folder), text).toBe(true);
      age(folder, 9);
      expect(await isLocked(folder), text).toBe(true);
      age(folder, 11);
      expect(await isLocked(folder), text).toBe(false);
    }
  });

  test("says what the other one is doing, and what to do", async () => {
    const folder = temporaryFolder();
    const lock = await lockRun(folder);
    await expect(lockRun(folder, "recording here")).rejects.toThrow(
      `${folder}: Process ${process.pid} on ${hostname()} is recording here. Wait until it ends, or stop it. If there is no such process, delete ${join(folder, lockName)}.`,
    );
    await lock.release();
  });

  test("is removed where the process ends without another word, if it is still its own", async () => {
    const [own, lost] = [temporaryFolder(), temporaryFolder()];
    const before = new Set(process.listeners("exit"));
    const locks = [await lockRun(own), await lockRun(lost)];
    const added = process.listeners("exit").filter((listener) => !before.has(listener));
    expect(added).toHaveLength(2);
    writeFileSync(join(lost, lockName), "of another");
    // As Node calls them; a folder that has vanished is none's.
    for (const listener of added) (listener as () => void)();
    expect([existsSync(join(own, lockName)), existsSync(join(lost, lockName))]).toEqual([
      ...[false, true],
    ]);
    for (const listener of added) (listener as () => void)();
    for (const lock of locks) await lock.release();
    expect(process.listeners("exit").filter((listener) => !before.has(listener))).toEqual([]);
  });
});

describe("whoever waits for a lock", () => {
  test("gets it once it is free, under its own name", async () => {
    const folder = temporaryFolder();
    const { signal } = new AbortController();
    const first = await waitForLock(folder, { name: "book.lock", signal });
    expect(readdirSync(folder)).toEqual(["book.lock"]);
    // Under another name it is another lock.
    const run = await waitForLock(folder, { signal });
    expect(readdirSync(folder).sort()).toEqual(["book.lock", lockName]);
    let second: unknown;
    const waiting = waitForLock(folder, { name: "book.lock", signal }).then((lock) => {
      second = lock;
      return lock;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(second).toBeUndefined();
    await first?.release();
    await (await waiting)?.release();
    await run?.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("may be told to stop, before and meanwhile", async () => {
    const folder = temporaryFolder();
    expect(await waitForLock(folder, { signal: AbortSignal.abort() })).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
    const lock = await lockRun(folder);
    const stop = new AbortController();
    const waiting = waitForLock(folder, { signal: stop.signal });
    await new Promise((resolve) => setTimeout(resolve, 50));
    stop.abort();
    expect(await waiting).toBeUndefined();
    await lock.release();
  });

  test("looks five times a second, and no more often", async () => {
    const folder = temporaryFolder();
    const lock = await lockRun(folder);
    const calls = diskCalls();
    const stop = new AbortController();
    const waiting = waitForLock(folder, { signal: stop.signal });
    await new Promise((resolve) => setTimeout(resolve, 150));
    stop.abort();
    await waiting;
    expect(calls).toEqual([`open ${lockName} wx`]);
    await lock.release();
  });
});

describe("a lock that cannot be made", () => {
  test("leaves nothing of itself, and names its file", async () => {
    const folder = temporaryFolder();
    const calls = diskCalls((call) => {
      if (call.startsWith("write")) throw diskError("ENOSPC");
    });
    const error = await lockRun(folder).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DiskError);
    expect((error as DiskError).message).toBe(
      `${join(folder, lockName)}: cannot be written: the disk is full (ENOSPC). Make room there.`,
    );
    expect(calls).toEqual([
      `open ${lockName} wx`,
      expect.stringMatching(/^write run\.lock \d+$/),
      ...[`close ${lockName}`, `remove ${lockName}`],
    ]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("and whose remains stay: the first reason is said", async () => {
    const folder = temporaryFolder();
    diskCalls((call) => {
      if (call.startsWith("write")) throw diskError("ENOSPC");
      if (call.startsWith("remove")) throw diskError("EIO");
    });
    await expect(lockRun(folder)).rejects.toThrow("the disk is full");
  });

  test("a stale one that cannot be removed is an error of its file", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, lockName), "");
    age(folder, 11);
    const calls = diskCalls((call) => {
      if (call === "open .unfinished-run.lock wx") throw diskError("EROFS");
    });
    await expect(lockRun(folder)).rejects.toThrow(
      `${join(folder, lockName)}: cannot be written: the disk is read-only`,
    );
    expect(calls).toEqual([`open ${lockName} wx`, "open .unfinished-run.lock wx"]);
  });

  test("is asked for again where another is gone by then, three times at the most", async () => {
    const folder = temporaryFolder();
    // Whoever looks finds nothing, and whoever makes it finds one.
    const calls = diskCalls((call) => {
      if (call === `open ${lockName} wx`) throw diskError("EEXIST");
    });
    await expect(lockRun(folder)).rejects.toThrow(/Another process is training/);
    expect(calls).toEqual(Array(3).fill(`open ${lockName} wx`));
  });

  test("nor be released: what it was for is done all the same", async () => {
    const folder = temporaryFolder();
    const lock = await lockRun(folder);
    diskCalls((call) => {
      if (call.startsWith("remove")) throw diskError("EIO");
    });
    await lock.release();
    expect(existsSync(join(folder, lockName))).toBe(true);
  });
});

describe("a stale lock", () => {
  test("is removed by who makes the guard, who looks again before", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, lockName), "");
    age(folder, 11);
    const guard = ".unfinished-run.lock";
    const calls = diskCalls();
    const lock = await lockRun(folder);
    expect(calls.slice(0, 6)).toEqual([
      ...[`open ${lockName} wx`, `open ${guard} wx`, `close ${guard}`],
      ...[`remove ${lockName}`, `remove ${guard}`, `open ${lockName} wx`],
    ]);
    await lock.release();
  });

  test("that another took over meanwhile is left alone", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, lockName), "");
    age(folder, 11);
    diskCalls((call) => {
      // Between the look and the guard.
      if (call === "open .unfinished-run.lock wx") writeFileSync(join(folder, lockName), "");
    });
    await expect(lockRun(folder)).rejects.toThrow(/Another process is training/);
    expect(readFileSync(join(folder, lockName), "utf8")).toBe("");
  });

  test("whose guard another holds is that one's for now; one that is gone by then is asked again", async () => {
    const folder = temporaryFolder();
    const guard = ".unfinished-run.lock";
    const stale = () => {
      writeFileSync(join(folder, lockName), "");
      age(folder, 11);
    };
    stale();
    writeFileSync(join(folder, guard), "");
    age(folder, 9, guard);
    await expect(lockRun(folder)).rejects.toThrow(/Another process is training/);
    rmSync(join(folder, guard));
    let refusals = 1;
    diskCalls((call) => {
      if (call === `open ${guard} wx` && refusals-- > 0) throw diskError("EEXIST");
    });
    await (await lockRun(folder)).release();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("a lock that is lost", () => {
  test("with its folder is said to be", async () => {
    const folder = temporaryFolder();
    const lock = await lockRun(folder);
    await lock.check();
    rmSync(folder, { recursive: true });
    const error = await lock.check().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DiskError);
    expect((error as DiskError).message).toBe(
      `${folder}: The run folder has vanished. Bring it back, or begin again.`,
    );
    await lock.release();
  });

  test("alone is named, with what may have happened", async () => {
    const folder = temporaryFolder();
    const lock = await lockRun(folder);
    rmSync(join(folder, lockName));
    const error = await lock.check().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DiskError);
    expect((error as DiskError).message).toBe(
      `${join(folder, lockName)}: This process no longer holds the run folder: its lock was removed. Another process may train here now; let only one do so.`,
    );
  });

  test("shows no sign of life any more", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      const folder = temporaryFolder();
      const lock = await lockRun(folder);
      writeFileSync(join(folder, lockName), "{}");
      await expect(lock.check()).rejects.toThrow("no longer holds");
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test("a sign of life is given every twenty seconds", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      const folder = temporaryFolder();
      const lock = await lockRun(folder);
      const signs = async (ms: number) => {
        age(folder, 1000);
        await vi.advanceTimersByTimeAsync(ms);
        await new Promise((resolve) => setTimeout(resolve, 50));
        return Date.now() - statSync(join(folder, lockName)).mtimeMs < 500_000;
      };
      expect(await signs(19_999)).toBe(false);
      expect(await signs(1)).toBe(true);
      expect(await signs(19_999)).toBe(false);
      expect(await signs(1)).toBe(true);
      await lock.release();
    } finally {
      vi.useRealTimers();
    }
  });
});
