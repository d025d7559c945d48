import { describe, expect, test } from "vitest";
import {
  byteTokenizer,
  characterTokenizer,
  dataFile,
  type RowTokenizerOptions,
  rowTokenizer,
  storeRows,
} from "../../../../src/data/index.js";
import { messageOf } from "../../../setup/data/data-rows.js";

const digits = characterTokenizer({ alphabet: "0123456789+=" });

const examples = [
  { prompt: "1=", completion: "1" },
  { prompt: "12=", completion: "3456" },
  { prompt: "12345=", completion: "6" },
  { prompt: "", completion: "12" },
];

function tokenize(options: RowTokenizerOptions, rows = examples, tokenizer = digits) {
  const tokens = rowTokenizer(tokenizer, options);
  const kept = rows.map((example, i) => tokens.encode({ example, id: `t:${i + 1}` }));
  return { rows: kept.filter((row) => row !== undefined), report: tokens.report() };
}

describe("rowTokenizer", () => {
  test("encodes what the writer was shown, and names the row where it cannot", () => {
    const example = { prompt: "1=", completion: "1", shownPrompt: "9+1=" };
    const { rows } = tokenize({}, [example]);
    expect(rows[0]?.shownPrompt).toEqual(digits.encode("9+1="));
    expect(() => tokenize({}, [example, { ...example, shownPrompt: "?" }])).toThrow(
      /t:2: shownPrompt: .*"\?"/,
    );
  });

  test("truncate cuts completions, drops rows without room, and counts both", () => {
    const { rows, report } = tokenize({ maxLength: 6 });
    expect(rows.map(({ ids }) => digits.decode(ids))).toEqual(["1=1", "12=345", "12"]);
    expect(rows[1]?.ids).not.toContain(digits.endIds[0]);
    expect(rows.map(({ id }) => id)).toEqual(["t:1", "t:2", "t:4"]);
    expect(report).toEqual({
      rows: 4,
      kept: 3,
      truncated: 1,
      dropped: 1,
      empty: 0,
      duplicates: 0,
      tokens: 4 + 6 + 3,
      completionTokens: 2 + 3 + 2,
      tokensCutOff: 2,
      longest: 8,
      longestKept: 6,
      longestPrompt: 3,
      longestCompletion: 3,
    });
  });

  test("counts text outside of a vocabulary that has an unknown token", () => {
    const words = { ...digits, unknownId: digits.encode("0")[0] as number };
    const { report } = tokenize({}, [{ prompt: "10=", completion: "200" }], words);
    expect(report.unknownTokens).toBe(3);
    expect(tokenize({}).report).not.toHaveProperty("unknownTokens");
  });

  test("drop leaves long rows out", () => {
    const { rows, report } = tokenize({ maxLength: 6, longRows: "drop" });
    expect(rows.map(({ id }) => id)).toEqual(["t:1", "t:4"]);
    expect(report).toMatchObject({ kept: 2, truncated: 0, dropped: 2, tokensCutOff: 0 });
    expect(report).toMatchObject({ longest: 8, longestKept: 4 });
  });

  test("error names the row", () => {
    expect(() => tokenize({ maxLength: 6, longRows: "error" })).toThrow(
      "maxLength: t:2 has 8 tokens (3 of them the prompt), more than 6.",
    );
  });

  test("without a limit nothing happens to any row", () => {
    const { report } = tokenize({ longRows: "error" }, examples, byteTokenizer());
    expect(report).toMatchObject({ rows: 4, kept: 4, truncated: 0, dropped: 0, longest: 8 });
  });

  test("equal rows are counted, and rows without anything to learn left out", () => {
    const rows = [...examples, ...examples.slice(0, 2), { prompt: "", completion: " \n" }];
    const { report } = tokenize({}, rows);
    expect(report).toMatchObject({ rows: 7, kept: 6, duplicates: 2, empty: 1 });
    // The same text, but another part of it is learned: the ids are what is compared.
    const twice = [
      { prompt: "1=", completion: "1" },
      { prompt: "1", completion: "=1" },
    ];
    expect(tokenize({}, twice).report.duplicates).toBe(1);
  });

  test("the row whose text has no ids is named", () => {
    expect(() => tokenize({}, [{ prompt: "1=", completion: "x" }])).toThrow(
      't:1: The character "x" (U+0078) at position 2',
    );
  });
});

describe("storeRows", () => {
  const stored = (text: string, options = {}) =>
    storeRows([dataFile("t.jsonl", text)], digits, options);

  test("an error if no row is left", async () => {
    const long = JSON.stringify({ prompt: "12=", completion: "3" });
    expect(await messageOf(stored(long, { maxLength: 3 }))).toBe(
      "data.maxLength: None of the 1 rows fits into 3 tokens. The longest has 5: allow longer rows or shorten the prompts.",
    );
    const silent = JSON.stringify({ text: " " });
    expect(await messageOf(stored(silent))).toContain("None of the 1 rows has anything to learn.");
  });

  test("keeps answers and names with the rows", async () => {
    const row = { prompt: "1+1=", completion: "2", answer: "2" };
    const { store } = await stored(`${JSON.stringify(row)}\n{"prompt":"3=","completion":"3"}`);
    expect(await store.rows([1, 0])).toEqual([
      { ids: [3, 11, 3, 13], completionStart: 2, id: "t.jsonl:2" },
      { ids: [1, 10, 1, 11, 2, 13], completionStart: 4, answer: "2", id: "t.jsonl:1" },
    ]);
    expect(store.lengthOf(0)).toBe(6);
  });
});
