import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { LosslessNumber } from "lossless-json";
import { describe, expect, test } from "vitest";
import { compileTemplate } from "../../../../src/data/chat/jinja/index.js";
import { type DataFile, dataFile, readExamples, readRows } from "../../../../src/data/index.js";
import { openDataFile } from "../../../../src/node/index.js";
import { collect, messageOf, rowsOf } from "../../../setup/data/data-rows.js";
import { missing, sharedData } from "../../../setup/data/shared-data.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

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

  describe("numbers print as Python prints them", () => {
    const list = [
      { name: "root", num_children: 5 },
      { name: "score", type: "DOUBLE", repetition_type: "OPTIONAL" },
      { name: "count", type: "INT32", repetition_type: "OPTIONAL" },
      { name: "single", type: "FLOAT", repetition_type: "OPTIONAL" },
      { name: "many", converted_type: "LIST", num_children: 1, repetition_type: "OPTIONAL" },
      { name: "list", num_children: 1, repetition_type: "REPEATED" },
      { name: "element", type: "DOUBLE", repetition_type: "OPTIONAL" },
      { name: "place", num_children: 2, repetition_type: "OPTIONAL" },
      { name: "lat", type: "DOUBLE", repetition_type: "OPTIONAL" },
      { name: "floor", type: "INT32", repetition_type: "OPTIONAL" },
    ] as const;
    const floats = parquetWriteBuffer({
      columnData: [
        { name: "score", data: [3, -0, 1e16, 1e-7, 0.5, null] },
        { name: "count", data: [3, 0, 1, 2, 4, null] },
        { name: "single", data: [2, 0.1, 1, 2, 3, 4] },
        { name: "many", data: [[1, 2.5], [], [null], null, [4], [5]] },
        {
          name: "place",
          data: [0, 1, 2, 3, 4, 5].map((floor) => ({ lat: 41 + floor, floor })),
        },
      ],
      schema: list as never,
    });
    const json = parquetWriteBuffer({
      columnData: [{ name: "arguments", data: [{ lat: 41 }, { lat: 0.5 }], type: "JSON" }],
    });
    const template = compileTemplate(
      "{{ score }} {{ count }} {{ single }} {{ many }} {{ place }} {{ place | tojson }}",
      () => new Date(0),
    );

    async function printed(file: DataFile): Promise<string[]> {
      const rows = await collect(readRows(file));
      return rows.map(({ row }) => template(row as Record<string, unknown>).text);
    }

    // As pyarrow's to_pylist and jinja2 print them.
    const wanted = [
      "3.0 3 2.0 [1.0, 2.5] {'lat': 41.0, 'floor': 0} {\"lat\": 41.0, \"floor\": 0}",
      "-0.0 0 0.10000000149011612 [] {'lat': 42.0, 'floor': 1} {\"lat\": 42.0, \"floor\": 1}",
      "1e+16 1 1.0 [None] {'lat': 43.0, 'floor': 2} {\"lat\": 43.0, \"floor\": 2}",
      "1e-07 2 2.0 None {'lat': 44.0, 'floor': 3} {\"lat\": 44.0, \"floor\": 3}",
      "0.5 4 3.0 [4.0] {'lat': 45.0, 'floor': 4} {\"lat\": 45.0, \"floor\": 4}",
      "None None 4.0 [5.0] {'lat': 46.0, 'floor': 5} {\"lat\": 46.0, \"floor\": 5}",
    ];

    test("in memory, and in the worker that reads a file", async () => {
      expect(await printed(dataFile("t.parquet", floats))).toEqual(wanted);
      const path = join(temporaryFolder(), "t.parquet");
      writeFileSync(path, new Uint8Array(floats));
      expect(await printed(await openDataFile(path))).toEqual(wanted);
    });

    test("an answer that is a float is its text", async () => {
      const answers = parquetWriteBuffer({
        columnData: [
          { name: "prompt", data: ["p"], type: "STRING" },
          { name: "completion", data: ["c"], type: "STRING" },
          { name: "answer", data: [3], type: "DOUBLE" },
        ],
      });
      const [first] = await collect(readExamples([dataFile("t.parquet", answers)], {}));
      expect(first?.example).toMatchObject({ answer: "3.0" });
    });

    test("inside of JSON columns, which are parsed as other JSON", async () => {
      const text = new TextDecoder("latin1").decode(json);
      const at = text.indexOf('{"lat":41}');
      expect(at).toBeGreaterThan(0);
      // The writer cannot write 4.0: its text is put there.
      const bytes = new Uint8Array(json.slice(0));
      bytes.set(new TextEncoder().encode('{"lat":4.0}'.slice(0, 10)), at);
      expect(await messageOf(rowsOf("t.parquet", bytes))).toMatch(
        /not a readable Parquet file: row group 1 of 1 cannot be read/,
      );
      bytes.set(new TextEncoder().encode('{"la":4.0}'), at);
      const [first, second] = await rowsOf("t.parquet", bytes);
      expect(first?.row).toEqual({ arguments: { la: new LosslessNumber("4.0") } });
      expect(second?.row).toEqual({ arguments: { lat: 0.5 } });
    });
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
