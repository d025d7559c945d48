import type { mkdir } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolders } from "../../../../src/node/files/disk.js";
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
