import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import { dataFile, readExamples, readRows } from "../../../../src/data/index.js";
import { openDataFile } from "../../../../src/node/index.js";
import { collect, messageOf, rowsOf } from "../../../setup/data-rows.js";
import { missing, sharedData } from "../../../setup/shared-data.js";

const count = 50;
const indices = Array.from({ length: count }, (_, i) => i);
const table = parquetWriteBuffer({
  columnData: [
    { name: "prompt", data: indices.map((i) => `p${i}`), type: "STRING" },
    { name: "completion", data: indices.map((i) => `c${i}`), type: "STRING" },
    { name: "answer", data: indices.map(BigInt), type: "INT64" },
    { name: "nested", data: indices.map((i) => ({ value: `v${i}` })), type: "JSON" },
  ],
  rowGroupSize: 20,
});

describe("Parquet", () => {
  test("rows of all row groups, in order, one group at a time", async () => {
    const file = dataFile("t.parquet", table);
    const reads: number[] = [];
    const watched = {
      ...file,
      slice: (start: number, end?: number) => {
        reads.push(start);
        return file.slice(start, end);
      },
    };
    const rows = readRows(watched);
    await rows.next();
    const readsAtFirst = reads.length;
    const rest = await collect(rows);
    expect(rest).toHaveLength(count - 1);
    expect(rest.at(-1)).toEqual({
      row: { prompt: "p49", completion: "c49", answer: 49n, nested: { value: "v49" } },
      where: "t.parquet:50",
    });
    expect(reads.length).toBeGreaterThan(readsAtFirst);
  });

  test("fields may lie inside a column; numbers may be answers", async () => {
    const fields = { prompt: "nested.value", completion: "completion", answer: "answer" };
    const [first] = await collect(readExamples([dataFile("t.parquet", table)], { fields }));
    expect(first?.example).toEqual({ prompt: "v0", completion: "c0", answer: "0" });
  });

  test("only the columns of the fields are read", async () => {
    const only = { required: ["nested.value"], optional: ["answer", "nothing"] };
    const [first] = await rowsOf("t.parquet", table, { only });
    expect(Object.keys(first?.row ?? {}).sort()).toEqual(["answer", "nested"]);
  });

  test("a missing column or nested field names what there is", async () => {
    const read = (completion: string) =>
      collect(
        readExamples([dataFile("t.parquet", table)], { fields: { prompt: "prompt", completion } }),
      );
    expect(await messageOf(read("completions"))).toMatch(
      /^t\.parquet:1: has no field "completions"\. Did you mean "completion"\? Allowed: prompt, completion, answer, nested\. Set fields\.completion/,
    );
    expect(await messageOf(read("nested.valu"))).toMatch(
      /no field "nested\.valu"\. Did you mean "value"/,
    );
    expect(await messageOf(read("nested"))).toMatch(/the field "nested" is an object, not text/);
    expect(await messageOf(read("answer"))).toMatch(/the field "answer" is the bigint 0, not text/);
  });

  test("what the decoder says of a damaged file is told, what the engine says of the decoder is not", async () => {
    const read = (cause: unknown) =>
      messageOf(
        collect(
          readRows({
            ...dataFile("t.parquet", table),
            decodeParquet: () => ({
              metadata: () => Promise.reject(cause as Error),
              rows: () => Promise.reject(cause as Error),
            }),
          }),
        ),
      );
    const start = "t.parquet: is not a readable Parquet file: its index cannot be read";
    expect(await read(new Error("parquet: no footer."))).toContain(
      `${start} (parquet: no footer). The file may be cut`,
    );
    for (const cause of [new TypeError("x is not a function"), new RangeError("offset"), "text"]) {
      expect(await read(cause)).toContain(`${start}. The file may be cut`);
    }
  });

  test("a damaged file, and one that is something else", async () => {
    const bytes = new Uint8Array(table);
    expect(await messageOf(rowsOf("t.parquet", bytes.slice(0, 300)))).toMatch(
      /^t\.parquet: is not a readable Parquet file: its index cannot be read/,
    );
    const garbled = bytes.slice();
    garbled.fill(255, 4, 200);
    expect(await messageOf(rowsOf("t.parquet", garbled))).toMatch(
      /is not a readable Parquet file: row group 1 of 3 cannot be read/,
    );
    expect(await messageOf(rowsOf("t.parquet", '{"a":1}'))).toMatch(/not a readable Parquet file/);
    expect(await messageOf(rowsOf("t.parquet", ""))).toMatch(/^t\.parquet: has no rows/);
  });
});

const shared = "tiny_llama_safetensors/train.parquet";
describe.skipIf(missing(shared))(`a real file (needs ../shared/data/${shared})`, () => {
  test("is read, with its chats", async () => {
    const file = await openDataFile(sharedData(shared));
    const fields = { prompt: "prompt.0.content", completion: "extra_info.answer" };
    const rows = await collect(readRows(file));
    expect(rows.length).toBeGreaterThan(10);
    expect(await messageOf(collect(readExamples([file], { fields })))).toMatch(
      /has no field|not text/,
    );
    const prompts = await collect(readExamples([file], { fields: { messages: "prompt" } }));
    expect(prompts).toHaveLength(rows.length);
    expect(prompts[0]?.example).toMatchObject({ messages: [{ role: "user" }] });
  });
});
