import { describe, expect, test } from "vitest";
import { messageOf, rowsOf } from "../../../setup/data/data-rows.js";

describe("text files", () => {
  test("one row a line, without blank ones", async () => {
    expect(await rowsOf("t.txt", "one\n\n two \r\nthree")).toEqual([
      { row: { text: "one" }, where: "t.txt:1" },
      { row: { text: " two " }, where: "t.txt:3" },
      { row: { text: "three" }, where: "t.txt:4" },
    ]);
  });
});

describe("a file that is no UTF-8 text", () => {
  const utf16 = new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]);
  const latin1 = new Uint8Array([...new TextEncoder().encode('{"a":1}\n{"a":"'), 0xe9, 0x22, 0x7d]);
  const cut = new Uint8Array([...new TextEncoder().encode("a\n"), 0xc3]);

  test.each<[string, string, Uint8Array<ArrayBuffer>, RegExp]>([
    ["UTF-16", "a.jsonl", utf16, /^a\.jsonl: is UTF-16 text, not UTF-8 text\. Convert it/],
    [
      "gzip",
      "a.csv",
      new Uint8Array([0x1f, 0x8b, 8, 0]),
      /^a\.csv: is compressed \(gzip\).*Unpack/,
    ],
    ["Latin-1", "a.jsonl", latin1, /^a\.jsonl:2: has bytes that are not UTF-8 text/],
    ["a cut character", "a.txt", cut, /^a\.txt:2: has bytes that are not UTF-8/],
    [
      "binary",
      "a.txt",
      new Uint8Array([65, 10, 0, 1, 2]),
      /^a\.txt:2: has bytes that are not UTF-8/,
    ],
    [
      "Parquet under another name",
      "a.jsonl",
      new Uint8Array([0x50, 0x41, 0x52, 0x31, 0]),
      /is a Parquet file, not UTF-8 text\. Name it \.parquet/,
    ],
    [
      "Arrow",
      "a.json",
      new TextEncoder().encode("ARROW1\0\0"),
      /is an Arrow file.*Export the data as Parquet/,
    ],
  ])("%s", async (_name, file, bytes, message) => {
    expect(await messageOf(rowsOf(file, bytes))).toMatch(message);
  });
});

describe("the format", () => {
  test("comes from the end of the name, or is given", async () => {
    expect(await rowsOf("A.JSONL", '{"a":1}')).toHaveLength(1);
    expect(await rowsOf("rows", '{"a":1}', { format: "jsonl" })).toHaveLength(1);
  });

  test("an unknown extension names the nearest", async () => {
    expect(await messageOf(rowsOf("train.jsnl", "{}"))).toMatch(
      /^train\.jsnl: has the unknown extension "\.jsnl"\. Did you mean "jsonl"\?.* Or set format to jsonl/,
    );
    expect(await messageOf(rowsOf("train", "{}"))).toContain("train: has no extension.");
  });
});
