import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, test } from "vitest";
import { dataFile, readRows } from "../../../../src/data/index.js";
import { openDataFile } from "../../../../src/node/index.js";
import { collect, messageOf } from "../../../setup/data/data-rows.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const indices = Array.from({ length: 30 }, (_, i) => i);
const columnData = [
  { name: "prompt", data: indices.map((i) => `p${i}`), type: "STRING" as const },
  {
    name: "answer",
    data: indices.map((i) => (i % 4 === 0 ? null : BigInt(i))),
    type: "INT64" as const,
  },
  { name: "nested", data: indices.map((i) => ({ value: `v${i}` })), type: "JSON" as const },
];
const whole = new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 7 }));

function saved(name: string, bytes: Uint8Array): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, bytes);
  return path;
}

test("a file on disk gives the rows that it gives in memory, also two at a time", async () => {
  const there = await collect(readRows(dataFile("t.parquet", Uint8Array.from(whole))));
  const read = async () => collect(readRows(await openDataFile(saved("t.parquet", whole))));
  for (const rows of await Promise.all([read(), read()])) {
    expect(rows.map(({ row }) => row)).toEqual(there.map(({ row }) => row));
  }
});

test("a changed byte is an error, or other rows are not: never fewer rows", async () => {
  const messages = new Set<string>();
  // A few bytes; `npm run fuzz` changes many. The last ones are the index.
  const places = Array.from(
    { length: 40 },
    (_, i) => 4 + Math.floor((i * (whole.length - 12)) / 40),
  );
  for (const at of places) {
    const bytes = whole.slice();
    bytes[at] = (bytes[at] as number) ^ 0x24;
    const file = await openDataFile(saved("t.parquet", bytes), { parquetSeconds: 0.5 });
    const rows = await collect(readRows(file)).catch((error: Error) => {
      expect(error.name, error.message).toBe("PupilError");
      messages.add(error.message.replace(/^.*?: /, ""));
      return undefined;
    });
    if (rows !== undefined) expect(rows).toHaveLength(indices.length);
  }
  expect(messages.size).toBeGreaterThan(3);
});

test("a byte that makes the decoder compute for ever ends in time, and the next file is read", async () => {
  const data = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? "a" : "b"));
  const bytes = new Uint8Array(
    parquetWriteBuffer({ columnData: [{ name: "prompt", data, type: "STRING" }] }),
  );
  // In the header of the data page: a number of values that is never reached.
  bytes[44] = 0x80;
  const file = await openDataFile(saved("t.parquet", bytes), { parquetSeconds: 0.5 });
  expect(await messageOf(collect(readRows(file)))).toMatch(
    /row group 1 of 1 cannot be read \(decoding takes longer than 1 s\)/,
  );
  const next = await openDataFile(saved("t.parquet", whole));
  expect(await collect(readRows(next))).toHaveLength(indices.length);
});

test("in a thread without a worker, as in browsers, counts are checked and no rejection is left", async () => {
  const rejections: unknown[] = [];
  const note = (reason: unknown) => rejections.push(reason);
  process.on("unhandledRejection", note);
  const name = new TextEncoder().encode("answer");
  const at = whole.findLastIndex((_, i) => name.every((byte, j) => whole[i + j] === byte));
  const bytes = Uint8Array.from(whole);
  bytes[at + 1] = 0x78;
  expect(await messageOf(collect(readRows(dataFile("t.parquet", bytes))))).toMatch(
    /not a readable Parquet/,
  );
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", note);
  expect(rejections).toEqual([]);
});
