import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import {
  byteTokenizer,
  dataFile,
  RowStore,
  type StoredRow,
  storeRows,
  TokenStore,
} from "../../../../src/data/index.js";
import { createSpillFile } from "../../../../src/node/index.js";

const rowOf = (i: number): StoredRow => ({
  ids: Array.from({ length: 1 + ((i * 7) % 23) }, (_, t) => (i * 31 + t) % 50_000),
  completionStart: 1,
  id: `file.jsonl:${i}`,
  ...(i % 3 === 0 ? { answer: `é🙂${i}` } : {}),
  ...(i % 5 < 2 ? { shownPrompt: Array.from({ length: i % 5 }, (_, t) => 49_999 - t) } : {}),
  ...(i % 2 === 0
    ? { learned: Array.from({ length: 1 + ((i * 7) % 23) }, (_, t) => ((5 * t + i) % 3) % 2) }
    : {}),
});

describe("TokenStore", () => {
  test.each([2, 4] as const)("numbers of %d bytes are read back from anywhere", async (bytes) => {
    const options = { bytesPerWord: bytes, chunkLength: 16, memoryLimitBytes: 64 * bytes };
    using store = new TokenStore({ ...options, createSpillFile });
    const most = bytes === 2 ? 65_535 : 2 ** 31 - 1;
    const numbers = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? i : most - i));
    for (let i = 0; i < 200; i += 7) await store.append(numbers.slice(i, i + 7));
    expect(store.length).toBe(200);
    expect(store.memoryBytes).toBeLessThanOrEqual(64 * bytes);
    expect(store.spilledBytes).toBeGreaterThan(100 * bytes);
    for (const [start, count] of [
      [0, 200],
      [0, 5],
      [40, 30],
      [100, 3],
      [150, 50],
      [195, 5],
      [7, 0],
    ]) {
      const part = await store.read(start as number, count as number);
      expect(Array.from(part)).toEqual(numbers.slice(start, (start as number) + (count as number)));
    }
    expect(() => store.read(199, 2)).toThrow("outside");
    store.dispose();
    await expect(store.read(100, 3)).rejects.toThrow("read after it was disposed");
  });

  test("what is in memory comes without a promise", async () => {
    using store = new TokenStore({ bytesPerWord: 2, chunkLength: 4 });
    await store.append([1, 2, 3, 4, 5, 6]);
    expect(store.read(1, 2)).toEqual(Uint16Array.from([2, 3]));
    expect(store.read(4, 2)).toEqual(Uint16Array.from([5, 6]));
    await expect(store.read(2, 4)).resolves.toEqual(Uint16Array.from([3, 4, 5, 6]));
  });
});

describe("RowStore", () => {
  test.each([2, 4] as const)(
    "rows come back as they went in, from file and memory (%d bytes)",
    async (bytesPerWord) => {
      const limits = { chunkLength: 64, memoryLimitBytes: 1024 };
      using store = new RowStore({ bytesPerWord, ...limits, createSpillFile });
      const rows = Array.from({ length: 1500 }, (_, i) => rowOf(i));
      for (const row of rows) await store.append(row);
      expect(store.length).toBe(1500);
      expect(store.spilledBytes).toBeGreaterThan(20_000);
      const order = [1499, 0, 700, 3, 3, 1024, 1023];
      expect(await store.rows(order)).toEqual(order.map((i) => rows[i]));
      expect(await store.slice(10, 20).rows([0, 9])).toEqual([rows[10], rows[19]]);
      expect(store.lengthOf(9)).toBe(rows[9]?.ids.length);
      expect(() => store.rows([1500])).toThrow("no row 1500");
    },
  );
});

test.each([
  [65_536, 2],
  [65_537, 4],
])("the ids of a vocabulary of %d take %d bytes each", async (vocabSize, bytes) => {
  const largest = vocabSize - 1;
  const tokenizer = {
    ...byteTokenizer(),
    vocabSize,
    encode: (text: string) => [...text].map(() => largest),
    endIds: [],
  };
  const file = dataFile("t.jsonl", '{"prompt":"p","completion":"c"}\n');
  using store = (await storeRows([file], tokenizer, {})).store;
  expect((await store.rows([0]))[0]?.ids).toEqual([largest, largest]);
  // Beside a chunk of tokens, 12 bytes for each of 1024 rows.
  expect(store.memoryBytes - 12 * 1024).toBe(65_536 * bytes);
});

test("a data set several times larger than the memory limit is read with bounded memory", async () => {
  const limit = 512 * 1024;
  const count = 12_000;
  let held = 0;
  const file = {
    ...dataFile("big.jsonl", ""),
    byteLength: Number.NaN,
    async *chunks() {
      // Made as it is read: the file exists nowhere as a whole.
      for (let i = 0; i < count; i++) {
        const row = { prompt: `question ${i}: `, completion: "word ".repeat(20) + i };
        const bytes = new TextEncoder().encode(`${JSON.stringify(row)}\n`);
        held += bytes.length;
        yield bytes;
      }
    },
  };
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith("pupil-tokens-"));
  const { store, report } = await storeRows([file], byteTokenizer(), {
    memoryLimitBytes: limit,
    createSpillFile,
  });
  expect(held).toBeGreaterThan(3 * limit);
  expect(report.tokens * 2).toBeGreaterThan(5 * limit);
  // Beside the tokens, 12 bytes a row.
  expect(store.memoryBytes).toBeLessThanOrEqual(limit + 12 * 2 ** 15);
  expect(store.spilledBytes).toBeGreaterThan(4 * limit);
  const tokenizer = byteTokenizer();
  for (const i of [0, 5000, count - 1]) {
    const [row] = await store.rows([i]);
    expect(tokenizer.decode(row?.ids ?? [])).toBe(`question ${i}: ${"word ".repeat(20)}${i}`);
  }
  store.dispose();
  const after = readdirSync(tmpdir()).filter((name) => name.startsWith("pupil-tokens-"));
  if (existsSync("/proc")) expect(after).toEqual(before);
});
