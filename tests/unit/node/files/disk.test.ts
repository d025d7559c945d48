import type { mkdir } from "node:fs/promises";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PupilError } from "../../../../src/errors/index.js";
import {
  disk,
  DiskError,
  explainDiskErrors,
  makeFolders,
} from "../../../../src/node/files/disk.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const refused = (code: string) => Promise.reject(Object.assign(new Error(code), { code }));

test("folders are made with those above them, and are let be where they are", async () => {
  const path = join(temporaryFolder(), "a/b/c");
  await makeFolders(path);
  await makeFolders(path);
  expect(existsSync(path)).toBe(true);
});

test("of a read-only disk, which Node takes for a folder that is not there, the reason is said", async () => {
  const folder = temporaryFolder();
  const asked: string[] = [];
  // As Node does on one that is mounted read-only.
  const make = ((path: string, options?: { recursive: boolean }) => {
    asked.push(path);
    return refused(options?.recursive === true ? "ENOENT" : "EROFS");
  }) as typeof mkdir;
  await expect(makeFolders(join(folder, "a/b/c"), make)).rejects.toMatchObject({ code: "EROFS" });
  expect(asked).toEqual([join(folder, "a/b/c"), join(folder, "a")]);
});

test("other reasons are those of the disk", async () => {
  const make = (() => refused("ENOSPC")) as typeof mkdir;
  await expect(makeFolders(join(temporaryFolder(), "a"), make)).rejects.toMatchObject({
    code: "ENOSPC",
  });
});

test("a folder above that could be made after all is no end: the rest is made too", async () => {
  const asked: [string, boolean][] = [];
  let refusals = 1;
  const make = ((path: string, options?: { recursive: boolean }) => {
    asked.push([path, options?.recursive === true]);
    return refusals-- > 0 ? refused("ENOENT") : Promise.resolve(undefined);
  }) as typeof mkdir;
  const folder = temporaryFolder();
  await makeFolders(join(folder, "a/b"), make);
  expect(asked).toEqual([
    [join(folder, "a/b"), true],
    [join(folder, "a"), false],
    [join(folder, "a/b"), true],
  ]);
});

describe("an error of the disk", () => {
  const said = async (code: string, problem?: string) => {
    const work = explainDiskErrors("there", () => refused(code), problem);
    return work.then(
      () => "nothing",
      (error: unknown) => (error instanceof DiskError ? error.message : error),
    );
  };

  test.each([
    ["ENOSPC", "the disk is full", "Make room there."],
    ["EDQUOT", "the quota of the disk is used up", "Make room there."],
    ["EFBIG", "the file would be larger than the disk allows", "Use another disk."],
    ["EROFS", "the disk is read-only", "Make it writable, or choose another folder."],
    ["EACCES", "permission denied", "Change its permissions, or choose another folder."],
    ["EPERM", "permission denied", "Change its permissions, or choose another folder."],
    ["ENOTDIR", "a part of its path is a file", "Choose another folder."],
    ["EEXIST", "there is something of that name", "Choose another folder."],
    ["ENOENT", "its folder has vanished", "Bring the folder back, or begin again."],
    ["ESTALE", "its folder has vanished", "Bring the folder back, or begin again."],
    ["EIO", "the disk reports an error", "Look at the system's log."],
    ["EMFILE", "too many files are open", "Raise the limit (ulimit -n)."],
    ["EBADF", "the system refuses it", "Look up its code."],
  ])("%s is a sentence", async (code, reason, remedy) => {
    expect(await said(code)).toBe(`there: cannot be written: ${reason} (${code}). ${remedy}`);
    expect(await said(code, "is lost")).toBe(`there: is lost: ${reason} (${code}). ${remedy}`);
  });

  test("keeps its cause; what is a sentence already, and a mistake of ours, are let through", async () => {
    const cause = new Error("a mistake");
    const own = new PupilError("Said before.", {});
    const coded = Object.assign(new Error("full"), { code: "ENOSPC" });
    for (const error of [cause, own]) {
      await expect(explainDiskErrors("there", () => Promise.reject(error))).rejects.toBe(error);
    }
    await expect(explainDiskErrors("there", () => Promise.reject(coded))).rejects.toMatchObject({
      cause: coded,
    });
    expect(await explainDiskErrors("there", () => Promise.resolve(7))).toBe(7);
  });
});

test("the disk cuts a file, and removes one, also where there is none", async () => {
  const path = join(temporaryFolder(), "log");
  const file = await disk.open(path, "wx");
  expect(await file.write(Buffer.from("abcdef"))).toBe(6);
  await file.close();
  await disk.truncate(path, 2);
  expect(readFileSync(path, "utf8")).toBe("ab");
  await disk.remove(join(path, "..", "none"));
  await disk.remove(path);
  expect(existsSync(path)).toBe(false);
});
