import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { createSpillFile } from "../../../../src/node/files/spill-file.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

/** The folder that the system is said to have for temporary files. */
function systemFolder(): string {
  const folder = temporaryFolder();
  onTestFinished(() => void vi.unstubAllEnvs());
  for (const name of ["TMPDIR", "TMP", "TEMP"]) vi.stubEnv(name, folder);
  return folder;
}

test("what was appended is read back from any place", async () => {
  systemFolder();
  const file = await createSpillFile();
  try {
    for (const part of [[1, 2, 3], [], [4], [5, 6]]) await file.append(Uint8Array.from(part));
    expect([...(await file.read(0, 6))]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...(await file.read(2, 3))]).toEqual([3, 4, 5]);
    expect(await file.read(6, 0)).toHaveLength(0);
    await expect(file.read(4, 3)).rejects.toThrow("The spill file ends before 7 bytes.");
  } finally {
    file.dispose();
  }
});

test("two have each their own, and neither leaves anything behind", async () => {
  const folder = systemFolder();
  const [one, two] = [await createSpillFile(), await createSpillFile()];
  await one.append(Uint8Array.from([1]));
  await two.append(Uint8Array.from([2]));
  expect([...(await one.read(0, 1)), ...(await two.read(0, 1))]).toEqual([1, 2]);
  // Where an open file keeps its content without a name, there is nothing to be left behind.
  if (process.platform !== "win32") expect(readdirSync(folder)).toEqual([]);
  one.dispose();
  one.dispose();
  expect([...(await two.read(0, 1))]).toEqual([2]);
  two.dispose();
  await vi.waitFor(() => expect(readdirSync(folder)).toEqual([]));
});

test("it lies in the system's folder for temporary files, which has to be there", async () => {
  const folder = systemFolder();
  const missing = join(folder, "missing");
  for (const name of ["TMPDIR", "TMP", "TEMP"]) vi.stubEnv(name, missing);
  await expect(createSpillFile()).rejects.toThrow(missing);
  mkdirSync(missing);
  (await createSpillFile()).dispose();
});
