import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listFolder } from "../../../../src/node/files/data-on-disk.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

test("the files of a folder, also linked ones and those further down, in order", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "b", "c"), { recursive: true });
  mkdirSync(join(folder, "empty"));
  for (const name of ["z.csv", "b/c/2.json", "b/1.json"]) writeFileSync(join(folder, name), "");
  symlinkSync(join(folder, "z.csv"), join(folder, "a.csv"));
  expect(await listFolder(folder)).toEqual(["a.csv", "b/1.json", "b/c/2.json", "z.csv"]);
  expect(await listFolder(join(folder, "empty"))).toEqual([]);
  expect(await listFolder(join(folder, "z.csv"))).toBeUndefined();
  expect(await listFolder(join(folder, "none"))).toBeUndefined();
});
