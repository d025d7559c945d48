import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { lockName, lockRun } from "../../../../../src/node/runs/folder/run-lock.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

const isUsed = /is training in this run folder\. Wait until it ends, or stop it\./;

/** Writes a lock file as another process would have, with its own place in it. */
function leaveLock(folder: string, changes: object): void {
  const path = join(folder, lockName);
  const own = JSON.parse(readFileSync(path, "utf8")) as object;
  writeFileSync(path, JSON.stringify({ ...own, ...changes }));
}

async function abandonedFolder(changes: object): Promise<string> {
  const folder = temporaryFolder();
  const lock = await lockRun(folder);
  leaveLock(folder, { token: "another", ...changes });
  // Its own file all the same: what it held on to in this process ends.
  const text = readFileSync(join(folder, lockName));
  await lock.release();
  writeFileSync(join(folder, lockName), text);
  const { ino, dev } = statSync(join(folder, lockName), { bigint: true });
  leaveLock(folder, { inode: String(ino), device: String(dev) });
  return folder;
}

test("a folder is locked until it is released", async () => {
  const folder = temporaryFolder();
  const lock = await lockRun(folder);
  await expect(lockRun(folder)).rejects.toThrow(isUsed);
  await expect(lockRun(folder)).rejects.toThrow(`Process ${process.pid} on `);
  await lock.check();
  await lock.release();
  expect(existsSync(join(folder, lockName))).toBe(false);
  await (await lockRun(folder)).release();
});

test.skipIf(!existsSync("/proc"))("a process that can be seen needs no sign of life", async () => {
  const folder = temporaryFolder();
  const lock = await lockRun(folder);
  utimesSync(join(folder, lockName), 1, 1);
  await expect(lockRun(folder)).rejects.toThrow(isUsed);
  await lock.release();
});

test("signs of life end with the lock", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const folder = temporaryFolder();
    const lock = await lockRun(folder);
    utimesSync(join(folder, lockName), 1, 1);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(21_000);
    await vi.waitFor(() => expect(statSync(join(folder, lockName)).mtimeMs).toBeGreaterThan(1e6));
    await lock.release();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test("a copy of a folder in use is free, and the folder is not", async () => {
  const folder = temporaryFolder();
  const copy = temporaryFolder();
  const lock = await lockRun(folder);
  cpSync(folder, copy, { recursive: true });
  const other = await lockRun(copy);
  await expect(lockRun(folder)).rejects.toThrow(isUsed);
  await other.release();
  await lock.check();
  await lock.release();
});

// Above what the kernel gives out.
const noPid = 2 ** 22 + 1;

test.each([
  ["of a process that is no more", { pid: noPid }],
  ["of a process whose number another has now", { started: "1" }],
  ["of before the machine was started", { boot: "another" }],
])("the lock %s is taken over", async (_, changes) => {
  const folder = await abandonedFolder(changes);
  const lock = await lockRun(folder);
  await expect(lockRun(folder)).rejects.toThrow(isUsed);
  await lock.release();
});

test.each([
  ["on another host", { host: "elsewhere" }],
  ["in another container", { pidNamespace: "pid:[1]" }],
  ["whose start nobody knows", { started: null }],
])("a process %s holds its lock while it shows signs of life", async (_, changes) => {
  const folder = await abandonedFolder(changes);
  const signOfLife = (minutesAgo: number) => {
    const seconds = Date.now() / 1000 - 60 * minutesAgo;
    utimesSync(join(folder, lockName), seconds, seconds);
  };
  await expect(lockRun(folder)).rejects.toThrow(isUsed);
  signOfLife(9.5);
  await expect(lockRun(folder)).rejects.toThrow(isUsed);
  signOfLife(10.5);
  await (await lockRun(folder)).release();
});

test("an empty lock file is one that is being made, for some seconds", async () => {
  const folder = temporaryFolder();
  const path = join(folder, lockName);
  writeFileSync(path, "");
  await expect(lockRun(folder)).rejects.toThrow(/^[^:]+: Another process is training/);
  const elevenSecondsAgo = Date.now() / 1000 - 11;
  utimesSync(path, elevenSecondsAgo, elevenSecondsAgo);
  await (await lockRun(folder)).release();
});

test("of many that come at once, one gets it, also where a dead process left it", async () => {
  for (let i = 0; i < 20; i++) {
    const folder = i % 4 === 0 ? temporaryFolder() : await abandonedFolder({ pid: noPid });
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockRun(folder)));
    const locks = results.flatMap((result) =>
      result.status === "fulfilled" ? [result.value] : [],
    );
    expect(locks.length).toBe(1);
    await locks[0]?.check();
    expect(readdirSync(folder)).toEqual([lockName]);
    await locks[0]?.release();
    expect(readdirSync(folder)).toEqual([]);
  }
});

test("a guard that a killed process left holds nobody up for long", async () => {
  const folder = await abandonedFolder({ pid: noPid });
  const guard = join(folder, ".unfinished-run.lock");
  writeFileSync(guard, "");
  await expect(lockRun(folder)).rejects.toThrow(isUsed);
  const elevenSecondsAgo = Date.now() / 1000 - 11;
  utimesSync(guard, elevenSecondsAgo, elevenSecondsAgo);
  await (await lockRun(folder)).release();
  expect(readdirSync(folder)).toEqual([]);
});

test("a lock that another replaced is lost, also where it got the same inode", async () => {
  const folder = temporaryFolder();
  const lock = await lockRun(folder);
  leaveLock(folder, { token: "another" });
  await expect(lock.check()).rejects.toThrow(/no longer holds the run folder/);
  await lock.release();
  expect(existsSync(join(folder, lockName))).toBe(true);
});

test("whoever loses the lock is told, and leaves the other's alone", async () => {
  const folder = temporaryFolder();
  const waiting = process.listenerCount("exit");
  const lock = await lockRun(folder);
  expect(process.listenerCount("exit")).toBe(waiting + 1);
  writeFileSync(join(folder, "new"), "{}");
  renameSync(join(folder, "new"), join(folder, lockName));
  await expect(lock.check()).rejects.toThrow(/no longer holds the run folder/);
  expect(process.listenerCount("exit")).toBe(waiting);
  await lock.release();
  expect(existsSync(join(folder, lockName))).toBe(true);
});
