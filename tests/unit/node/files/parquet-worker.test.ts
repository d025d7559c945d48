import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, test } from "vitest";
import { dataFile, readRows } from "../../../../src/data/index.js";
import { openDataFile } from "../../../../src/node/index.js";
import { collect, messageOf } from "../../../setup/data-rows.js";
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

/** Where the decoder computes without an end: the number of values of the first page, made huge. */
function endless(): Uint8Array {
  const bytes = whole.slice();
  // The page header's `num_values`, a zigzag varint of one byte before the encodings, of 7 rows.
  const at = bytes.findIndex((byte, i) => byte === 14 && bytes[i + 1] === 0x15 && i > 4);
  expect(at).toBeGreaterThan(0);
  const huge = [0xfe, 0xff, 0xff, 0xff, 0x0f];
  return Uint8Array.from([...bytes.slice(0, at), ...huge, ...bytes.slice(at + 1)]);
}

test("one byte more or less is an error, or other rows are not: never a hang, never fewer rows", async () => {
  const messages = new Set<string>();
  // Every third byte, each in one of three ways; the seed-driven form is `npm run fuzz`.
  for (let at = 4; at < whole.length; at += 3) {
    const bytes = whole.slice();
    bytes[at] = [0xff, 0x00, (bytes[at] as number) ^ 4][at % 3] as number;
    const file = await openDataFile(saved("t.parquet", bytes), { parquetSeconds: 5 });
    const rows = await collect(readRows(file)).catch((error: Error) => {
      expect(error.name, error.message).toBe("PupilError");
      messages.add(error.message.replace(/^.*?: /, ""));
      return undefined;
    });
    if (rows !== undefined) expect(rows).toHaveLength(indices.length);
  }
  expect(messages.size).toBeGreaterThan(5);
});

test("what would take for ever is ended, and the next file is read", async () => {
  const file = await openDataFile(saved("t.parquet", endless()), { parquetSeconds: 1 });
  const message = await messageOf(collect(readRows(file)));
  expect(message).toMatch(/row group 1 of 5 cannot be read/);
  const next = await openDataFile(saved("t.parquet", whole));
  expect(await collect(readRows(next))).toHaveLength(indices.length);
});
