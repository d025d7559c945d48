import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { characterTokenizer, readText, splitRows, splitText } from "../../../src/data/index.js";
import { missing, sharedData } from "../../setup/shared-data.js";

describe("readText", () => {
  test("drops a byte order mark and nothing else", () => {
    expect(readText("\ufeffa\r\n b \n", "t.txt")).toBe("a\r\n b \n");
  });

  test("an empty text is an error that names the file", () => {
    expect(() => readText("", "t.txt")).toThrow("t.txt: is empty.");
    expect(() => readText(" \n", "t.txt")).toThrow("t.txt: has nothing but white space.");
  });
});

describe("splitText", () => {
  test("keeps every character, the first part for training", () => {
    expect(splitText("0123456789", 0.1)).toEqual({ train: "012345678", validation: "9" });
    expect(splitText("0123456789a", 0.25)).toEqual({ train: "01234567", validation: "89a" });
  });

  test("never cuts a surrogate pair", () => {
    const text = "🙂".repeat(5);
    expect(splitText(text, 0.5)).toEqual({ train: "🙂🙂🙂", validation: "🙂🙂" });
    expect(splitText("🙂🙂", 0.5)).toEqual({ train: "🙂", validation: "🙂" });
  });

  test("a fraction outside 0 to 1 is refused", () => {
    expect(() => splitText("ab", 1)).toThrow("between 0 and 1");
    expect(() => splitText("ab", Number.NaN)).toThrow("between 0 and 1");
  });
});

describe("splitRows", () => {
  test("both parts get at least one row", () => {
    const rows = [0, 1, 2, 3];
    expect(splitRows(rows, 0.5)).toEqual({ train: [0, 1], validation: [2, 3] });
    expect(splitRows(rows, 0.01)).toEqual({ train: [0, 1, 2], validation: [3] });
    expect(splitRows(rows, 0.99)).toEqual({ train: [0], validation: [1, 2, 3] });
    expect(() => splitRows([1], 0.5)).toThrow("only 1 row");
  });
});

const shakespeare = "tinyshakespeare/input.txt";
describe.skipIf(missing(shakespeare))(
  `nanoGPT's split (needs ../shared/data/${shakespeare})`,
  () => {
    test("has the published sizes: 65 characters, 1,003,854 and 111,540 tokens", () => {
      const text = readText(readFileSync(sharedData(shakespeare), "utf8"), shakespeare);
      const tokenizer = characterTokenizer(text, { specialTokens: false });
      const { train, validation } = splitText(text, 0.1);
      expect(tokenizer.vocabSize).toBe(65);
      expect(tokenizer.encode(train)).toHaveLength(1_003_854);
      expect(tokenizer.encode(validation)).toHaveLength(111_540);
      // nanoGPT: sorted characters, "\n" is 0 and " " is 1.
      expect(tokenizer.encode("\n !")).toEqual([0, 1, 2]);
      expect(tokenizer.decode(tokenizer.encode(validation))).toBe(validation);
    });
  },
);
