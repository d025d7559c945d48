import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dataOnDisk, listFolder } from "../../../../src/node/files/data-on-disk.js";
import { downloadDataset } from "../../../../src/node/files/hub-dataset.js";
import { openDataFile } from "../../../../src/node/files/open-data-file.js";
import { createSpillFile } from "../../../../src/node/files/spill-file.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

function saved(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), "data.bin");
  writeFileSync(path, bytes);
  return path;
}

const parts = (buffer: ArrayBuffer) => [...new Uint8Array(buffer)];

test("a file knows its name and size, and gives any part of itself", async () => {
  const path = saved(Uint8Array.from([1, 2, 3, 4, 5]));
  const file = await openDataFile(path);
  expect([file.name, file.byteLength]).toEqual([path, 5]);
  expect(parts(await file.slice(1, 3))).toEqual([2, 3]);
  expect(parts(await file.slice(2))).toEqual([3, 4, 5]);
  expect(parts(await file.slice(0, 0))).toEqual([]);
  // Behind its end there is nothing, and from the end to the begin neither.
  expect(parts(await file.slice(3, 9))).toEqual([4, 5]);
  expect(parts(await file.slice(4, 2))).toEqual([]);
});

test("a file comes whole in pieces of a mebibyte, as often as it is asked for", async () => {
  const bytes = Uint8Array.from({ length: 2 * 2 ** 20 + 3 }, (_, i) => i % 251);
  const file = await openDataFile(saved(bytes));
  const hashOf = (pieces: readonly Uint8Array[]) =>
    pieces.reduce((hash, piece) => hash.update(piece), createHash("sha256")).digest("hex");
  for (let i = 0; i < 2; i++) {
    const pieces: Uint8Array[] = [];
    for await (const piece of file.chunks()) pieces.push(piece);
    expect(pieces.map(({ length }) => length)).toEqual([2 ** 20, 2 ** 20, 3]);
    expect(hashOf(pieces)).toBe(hashOf([bytes]));
  }
});

test("what reads a config's data reads files, folders and datasets, and spills to the disk", () => {
  expect(dataOnDisk()).toEqual({
    ...{ open: openDataFile, list: listFolder },
    ...{ createSpillFile, download: downloadDataset },
  });
});
