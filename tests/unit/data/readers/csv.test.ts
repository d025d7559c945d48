import { describe, expect, test } from "vitest";
import { dataFile, readExamples, readRows } from "../../../../src/data/index.js";
import { messageOf, rowsOf as readRowsOf } from "../../../setup/data/data-rows.js";

const rowsOf = async (...args: Parameters<typeof readRowsOf>) =>
  (await readRowsOf(...args)).map(({ row, where }) => ({ row, where }));

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

  test.each([
    ["read to its end", "a,b\n1,2\n", 9],
    ["left early", `a,b\n${"1,2\n".repeat(9)}`, 1],
    ["broken", "a,a\n1,2\n", 9],
  ])("a file that is %s is closed", async (_what, text, most) => {
    let open = 0;
    const file = dataFile("t.csv", text);
    const chunks = async function* () {
      open += 1;
      try {
        yield* file.chunks();
      } finally {
        open -= 1;
      }
    };
    const read = async () => {
      let count = 0;
      for await (const _row of readRows({ ...file, chunks })) if (++count === most) return;
    };
    await read().catch(() => undefined);
    expect(open).toBe(0);
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

describe("line ends as Python's csv reads them", () => {
  // Each right value is that of csv.DictReader on the file opened with newline="".
  test.each([
    ["p,c\na,b\r\nc,d\r\n", ["a,b", "c,d"], [2, 3]],
    ["p,c\r\na,b\nc,d\n", ["a,b", "c,d"], [2, 3]],
    ["p,c\ra,b\rc,d", ["a,b", "c,d"], [2, 3]],
    ["p,c\ra,b\nc,d\r\n\r\n\ne,f\r", ["a,b", "c,d", "e,f"], [2, 3, 6]],
    ['p,c\r\n"a\nx",b\r\nc,d\n', ["a\nx,b", "c,d"], [2, 4]],
    ['p,c\n"a\r\nx","b\ry"\r\nc,d\n', ["a\r\nx,b\ry", "c,d"], [2, 5]],
    ['"p",c\r\n\r\na,b', ["a,b"], [3]],
  ])("%j", async (text, rows, lines) => {
    const read = await rowsOf("t.csv", text);
    expect(read.map(({ row }) => Object.values(row).join())).toEqual(rows);
    expect(read.map(({ where }) => where)).toEqual(lines.map((line) => `t.csv:${line}`));
  });

  test("also where a piece of the file ends between \\r and \\n", async () => {
    const text = "p,c\r\na,b\r\n\r\nc,d\r\n";
    for (let cut = 1; cut < text.length; cut++) {
      const bytes = [text.slice(0, cut), text.slice(cut)].map((part) => Buffer.from(part));
      const file = {
        name: "t.csv",
        byteLength: text.length,
        slice: () => Promise.reject(new Error("not needed")),
        async *chunks() {
          yield* bytes;
        },
      };
      const rows = [];
      for await (const { row, where } of readRows(file)) rows.push({ row, where });
      expect(rows).toEqual([
        { row: { p: "a", c: "b" }, where: "t.csv:2" },
        { row: { p: "c", c: "d" }, where: "t.csv:4" },
      ]);
    }
  });
});

describe("what separates fields", () => {
  test("semicolons, where the first line has no comma but those", async () => {
    const expected = [{ p: "a,b", c: "d" }];
    const read = async (...args: Parameters<typeof rowsOf>) =>
      (await rowsOf(...args)).map(({ row }) => row);
    expect(await read("t.csv", 'p;c\n"a,b";d\n')).toEqual(expected);
    expect(await read("t.csv", "p;c\na,b;d\n")).toEqual(expected);
    expect(await read("t.csv", '"p";"c"\r\n"a,b";"d"')).toEqual(expected);
    expect(await read("t.csv", '"p;c",d\n1,2\n')).toEqual([{ "p;c": "1", d: "2" }]);
    expect(await read("t.csv", "a;b,c\n1,2\n")).toEqual([{ "a;b": "1", c: "2" }]);
    expect(await read("t.csv", "text\na;b\n")).toEqual([{ text: "a;b" }]);
    const columns = ["p", "c"];
    expect(await read("t.csv", "a;d\n", { columns })).toEqual([{ p: "a", c: "d" }]);
    expect(await read("t.csv", "a;b,c\n", { columns })).toEqual([{ p: "a;b", c: "c" }]);
  });

  test("or what delimiter says", async () => {
    expect(await rowsOf("t.csv", "p|c\na,b|d\n", { delimiter: "|" })).toEqual([
      { row: { p: "a,b", c: "d" }, where: "t.csv:2" },
    ]);
    expect(await rowsOf("t.tsv", "p,c\n1,2\n", { delimiter: "," })).toEqual([
      { row: { p: "1", c: "2" }, where: "t.tsv:2" },
    ]);
  });

  test("a file without a header is told how to be read", async () => {
    const file = dataFile("t.csv", "hello,world\nfoo,bar\n");
    const read = async () => {
      for await (const example of readExamples([file])) return example;
    };
    expect(await messageOf(read())).toMatch(
      /^t\.csv:2: has no prompt.*Its fields are: hello, world\..*The first line is read as the header: for a file without one, set columns/,
    );
    const named = async () => {
      for await (const example of readExamples([file], { fields: { text: "text" } }))
        return example;
    };
    expect(await messageOf(named())).toMatch(/has no field "text".*set columns .*set delimiter/);
  });
});

describe("TSV", () => {
  test("line ends that differ", async () => {
    expect(await rowsOf("t.tsv", "p\tc\na\tb\r\nc\td\r")).toEqual([
      { row: { p: "a", c: "b" }, where: "t.tsv:2" },
      { row: { p: "c", c: "d" }, where: "t.tsv:3" },
    ]);
  });

  test("quotes around fields are taken off, others are text", async () => {
    expect(await rowsOf("t.tsv", 'a\tb\n"x\ty"\tz\nx"y"\t"z" z\n')).toEqual([
      { row: { a: "x\ty", b: "z" }, where: "t.tsv:2" },
      { row: { a: 'x"y"', b: '"z" z' }, where: "t.tsv:3" },
    ]);
  });
});
