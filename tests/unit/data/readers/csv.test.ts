import { describe, expect, test } from "vitest";
import { messageOf, rowsOf } from "../../../setup/data-rows.js";

describe("CSV", () => {
  test("a header, quotes, and line ends inside fields; rows are named by where they begin", async () => {
    expect(await rowsOf("t.csv", '\ufeffa,b\r\n1,2\r\n"x,\ny","say ""hi"""\r\n\r\n3,\r\n')).toEqual(
      [
        { row: { a: "1", b: "2" }, where: "t.csv:2" },
        { row: { a: "x,\ny", b: 'say "hi"' }, where: "t.csv:3" },
        { row: { a: "3", b: "" }, where: "t.csv:6" },
      ],
    );
  });

  test("columns name the fields of a file without a header", async () => {
    expect(await rowsOf("t.csv", "1,2\n3,4", { columns: ["a", "b"] })).toEqual([
      { row: { a: "1", b: "2" }, where: "t.csv:1" },
      { row: { a: "3", b: "4" }, where: "t.csv:2" },
    ]);
  });

  test("many rows arrive in order", async () => {
    const text = `n\n${Array.from({ length: 5000 }, (_, i) => i).join("\n")}`;
    const rows = await rowsOf("t.csv", text);
    expect(rows.map(({ row }) => Number(row["n"]))).toEqual(rows.map((_row, i) => i));
    expect(rows).toHaveLength(5000);
  });

  test.each([
    ["a,b\n1,2\n1,2,3\n", /^a\.csv:3: has 3 fields, expected 2\. Every row needs as many fields/],
    ["a,b\n1\n", /^a\.csv:2: has 1 fields, expected 2/],
    ["a,a\n1,2\n", /^a\.csv:1: the header line names the column "a" twice/],
    ["a,\n1,2\n", /^a\.csv:1: the header line has a column without a name.*set columns/],
    ['a,b\n1,2\n"x,2\n3,4\n', /^a\.csv:3: opens a quote that is never closed/],
    [
      'a,b\nx"y,2\n',
      /^a\.csv:2: is not a valid row: Invalid Opening Quote.*quotes around the whole/,
    ],
    ["", /^a\.csv: has no rows\. Give a file with a header line and one row per line/],
    ["a,b\n", /^a\.csv: has no rows/],
  ])("explains %j", async (text, message) => {
    expect(await messageOf(rowsOf("a.csv", text))).toMatch(message);
  });

  test("columns that do not fit are counted as columns", async () => {
    expect(await messageOf(rowsOf("a.csv", "1,2\n1,2,3", { columns: ["a", "b"] }))).toMatch(
      /^a\.csv:2: has 3 fields, expected 2/,
    );
  });
});

describe("TSV", () => {
  test("quotes around fields are taken off, others are text", async () => {
    expect(await rowsOf("t.tsv", 'a\tb\n"x\ty"\tz\nx"y"\t"z" z\n')).toEqual([
      { row: { a: "x\ty", b: "z" }, where: "t.tsv:2" },
      { row: { a: 'x"y"', b: '"z" z' }, where: "t.tsv:3" },
    ]);
  });
});
