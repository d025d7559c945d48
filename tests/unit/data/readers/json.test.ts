import { describe, expect, test } from "vitest";
import { dataFile, readRows } from "../../../../src/data/index.js";
import { collect, messageOf, rowsOf } from "../../../setup/data/data-rows.js";

describe("JSON", () => {
  const tricky = [{ a: 'x"]}', b: [1, { c: "[" }] }, { a: "\\", d: {} }, { "k:,": null }];

  test("a list of objects, each with the line where it begins", async () => {
    const rows = await rowsOf(
      "t.json",
      `[\n${tricky.map((row) => JSON.stringify(row)).join(",\n")}\n]`,
    );
    expect(rows).toEqual(tricky.map((row, i) => ({ row, where: `t.json:${i + 2}` })));
  });

  test("an object whose field holds the list; what else it has is passed over", async () => {
    const object = { meta: { list: ["[", "]"], "rows:": 1 }, n: 3, rows: tricky, more: [[1], {}] };
    for (const indent of [0, 2]) {
      const rows = await rowsOf("t.json", JSON.stringify(object, null, indent), {
        rowsField: "rows",
      });
      expect(rows.map(({ row }) => row)).toEqual(tricky);
    }
  });

  test("pieces may end anywhere", async () => {
    const bytes = new TextEncoder().encode(JSON.stringify({ rows: tricky }));
    const file = {
      ...dataFile("t.json", bytes),
      async *chunks() {
        for (const byte of bytes) yield new Uint8Array([byte]);
      },
    };
    const rows = await collect(readRows(file, { rowsField: "rows" }));
    expect(rows.map(({ row }) => row)).toEqual(tricky);
  });

  test.each([
    [
      '{"data":[{"a":1}],"n":1}',
      undefined,
      /^a\.json: is an object, not a list\. Set rowsField.*Allowed: data\./,
    ],
    ['{"data":[{"a":1}]}', "dta", /has no list in the field "dta"\. .*Did you mean "data"\?/],
    ['{"a":1}\n{"a":2}\n', undefined, /^a\.json:2: has text after the end.* set format to "jsonl"/],
    ['{"a":1}', undefined, /is an object, not a list.*It has no list/],
    ['[{"a":1},\n3]', undefined, /^a\.json:2: is the number 3, not a JSON object/],
    ['[{"a":1},\n \n\n 3]', undefined, /^a\.json:4: is the number 3, not a JSON object/],
    ['[{"a":1},\n{"a":}]', undefined, /^a\.json:2: is not valid JSON/],
    ['[{"a":1},\n{"a":"', undefined, /^a\.json:2: ends before its brackets and quotes are closed/],
    ['[{"a":1}]\n[{"a":2}]', undefined, /^a\.json:2: has text after the end/],
    ['[{"a":1}] x', undefined, /^a\.json:1: has text after the end/],
    ["a,b\n1,2", undefined, /^a\.json:1: is not a JSON list or object/],
    [
      '{"meta":{"rows":[1]},"rows":[{"a":1}],"rows":[]}',
      "rows",
      /^a\.json:1: has the field "rows" twice/,
    ],
    ['{"rows":[{"a":1}],:[1,2]}', "rows", /^a\.json:1: is not valid JSON/],
    ['{"rows":[{"a":1}] x}', "rows", /^a\.json:1: is not valid JSON/],
    ['{"rows":x[{"a":1}]}', "rows", /^a\.json:1: is not valid JSON/],
    ['{rows:[{"a":1}],\n"n":tru}', "n", /is not valid JSON/],
    ['{"rows":[{"a":1}],}', "rows", /has a comma without a field/],
    ['[{"a":1},]', undefined, /has a comma without a row/],
    ['[{"a":1}}', undefined, /has a closing bracket of the wrong kind/],
    ['{"rows":[{"a":1}]]', "rows", /has a closing bracket of the wrong kind/],
    [`[${"[".repeat(20_000)}${"]".repeat(20_000)}]`, undefined, /is a list, not a JSON object/],
    ["[]", undefined, /^a\.json: has no rows\. Give a file with a JSON list of objects/],
    [" ", undefined, /^a\.json: has no rows/],
  ])("explains %j", async (text, rowsField, message) => {
    expect(await messageOf(rowsOf("a.json", text, { rowsField }))).toMatch(message);
  });
});
