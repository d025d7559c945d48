import { randomUUID } from "node:crypto";
import type * as fs from "node:fs";
import { readdirSync } from "node:fs";
import { afterAll, expect, onTestFinished, test, vi } from "vitest";
import type * as spillFile from "../../../../src/node/files/spill-file.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const faults = { code: undefined as string | undefined, most: Infinity, keepsNames: false };

/** A disk that is full, takes a few bytes at a time, or removes no file that is open, as on Windows. */
vi.doMock("node:fs", async (load) => {
  const real = await load<typeof fs>();
  type Done = (error: Error | null, written?: number) => void;
  const write = (
    file: number,
    bytes: Uint8Array,
    from: number,
    count: number,
    at: number,
    done: Done,
  ) => {
    const { code, most } = faults;
    if (code !== undefined) return done(Object.assign(new Error(code), { code }));
    real.write(file, bytes, from, Math.min(most, count), at, done);
  };
  // As the real one tells promisify how to name its results.
  const names = Object.getOwnPropertySymbols(real.write);
  for (const name of names) {
    Object.defineProperty(
      write,
      name,
      Object.getOwnPropertyDescriptor(real.write, name) as PropertyDescriptor,
    );
  }
  const unlinkSync = (path: string) => {
    if (faults.keepsNames) throw new Error("EBUSY");
    real.unlinkSync(path);
  };
  return { ...real, write, unlinkSync };
});
afterAll(() => vi.doUnmock("node:fs"));

// A copy of its own, every time: whoever loaded it before has it with another disk.
const copy = `../../../../src/node/files/spill-file.ts?with-faults=${randomUUID()}`;
const { createSpillFile } = (await import(copy)) as typeof spillFile;

function systemFolder(): string {
  const folder = temporaryFolder();
  onTestFinished(() => {
    vi.unstubAllEnvs();
    Object.assign(faults, { code: undefined, most: Infinity, keepsNames: false });
  });
  for (const name of ["TMPDIR", "TMP", "TEMP"]) vi.stubEnv(name, folder);
  return folder;
}

test("a full disk is said with the folder, and what to do", async () => {
  const folder = systemFolder();
  const file = await createSpillFile();
  faults.code = "ENOSPC";
  await expect(file.append(Uint8Array.from([1]))).rejects.toThrow(
    `${folder}: Tokens could not be written to a temporary file: Error: ENOSPC. Make room there, set TMPDIR`,
  );
  file.dispose();
});

test("a disk that takes a few bytes at a time gets them all, in their order", async () => {
  systemFolder();
  const file = await createSpillFile();
  faults.most = 2;
  await file.append(Uint8Array.from([1, 2, 3, 4, 5]));
  await file.append(Uint8Array.from([6, 7, 8]));
  expect([...(await file.read(0, 8))]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  file.dispose();
});

test("where an open file keeps its name, its folder is removed when it is disposed", async () => {
  const folder = systemFolder();
  faults.keepsNames = true;
  const file = await createSpillFile();
  await file.append(Uint8Array.from([1]));
  const [left, ...others] = readdirSync(folder);
  expect([left, others]).toEqual([expect.stringMatching(/^pupil-tokens-/), []]);
  expect([...(await file.read(0, 1))]).toEqual([1]);
  file.dispose();
  await vi.waitFor(() => expect(readdirSync(folder)).toEqual([]));
});
