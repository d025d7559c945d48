import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { diskFolder } from "../../../../src/node/files/disk-folder.js";
import { exists, isFile, isFolder } from "../../../../src/node/files/file-exists.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

test("a folder tells its name, its files and whether it has one", async () => {
  const path = temporaryFolder();
  writeFileSync(join(path, "a.bin"), "");
  mkdirSync(join(path, "in"));
  const folder = diskFolder(path);
  expect([folder.name, folder.pathOf("a.bin")]).toEqual([path, join(path, "a.bin")]);
  expect(await folder.has("a.bin")).toBe(true);
  expect(await folder.has("b.bin")).toBe(false);
  expect((await folder.list())?.toSorted()).toEqual(["a.bin", "in"]);
  expect(await diskFolder(join(path, "none")).list()).toBeUndefined();
});

test("a range of a file is read from its begin to before its end", async () => {
  const path = temporaryFolder();
  writeFileSync(join(path, "a.bin"), Uint8Array.from([0, 1, 2, 3, 4, 5]));
  const { size, read } = await diskFolder(path).open("a.bin", "weights file");
  expect(size).toBe(6);
  expect([...(await read(2, 5))]).toEqual([2, 3, 4]);
  expect([...(await read(0, 6))]).toEqual([0, 1, 2, 3, 4, 5]);
  expect(await read(6, 6)).toHaveLength(0);
});

test("a file that became shorter than it was is an error with the place", async () => {
  const path = temporaryFolder();
  const file = join(path, "a.bin");
  writeFileSync(file, Uint8Array.from([0, 1, 2, 3, 4, 5]));
  const { read } = await diskFolder(path).open("a.bin", "weights file");
  truncateSync(file, 4);
  await expect(read(1, 6)).rejects.toThrow(
    `${file}: The weights file ends at byte 4, before 6. Copy or download it again.`,
  );
  expect([...(await read(1, 4))]).toEqual([1, 2, 3]);
});

test("what is no file cannot be opened", async () => {
  const path = temporaryFolder();
  mkdirSync(join(path, "in"));
  const folder = diskFolder(path);
  await expect(folder.open("in", "weights file")).rejects.toThrow(
    `${join(path, "in")}: The weights file is a folder, not a file.`,
  );
  await expect(folder.open("none", "weights file")).rejects.toThrow(
    `${join(path, "none")}: The weights file does not exist.`,
  );
});

test("files, folders, links to them and nothing are told apart", async () => {
  const path = temporaryFolder();
  writeFileSync(join(path, "file"), "");
  mkdirSync(join(path, "folder"));
  for (const [link, target] of [
    ["to-file", "file"],
    ["to-folder", "folder"],
    ["to-nothing", "none"],
  ] as const) {
    symlinkSync(join(path, target), join(path, link));
  }
  const kinds = async (name: string) => {
    const at = join(path, name);
    return [await exists(at), await isFile(at), await isFolder(at)];
  };
  for (const name of ["file", "to-file"]) expect(await kinds(name)).toEqual([true, true, false]);
  for (const name of ["folder", "to-folder"]) {
    expect(await kinds(name)).toEqual([true, false, true]);
  }
  for (const name of ["none", "to-nothing", "file/none"]) {
    expect(await kinds(name)).toEqual([false, false, false]);
  }
});
