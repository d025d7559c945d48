import { describe, expect, test } from "vitest";
import {
  byteTokenizer,
  characterTokenizer,
  encodePrompt,
  type Tokenizer,
  tokenizeExample,
  tokenizeExamples,
  tokenizerFromJson,
} from "../../../src/data/index.js";

const digits = characterTokenizer({ alphabet: "0123456789+=" });

/** Greedy words: "ab" is one token, so that a completion "b" can change the token of a prompt "a". */
function mergingTokenizer(): Promise<Tokenizer> {
  const vocab = { a: 0, b: 1, ab: 2, c: 3, "</s>": 4, "<s>": 5 };
  const json = {
    added_tokens: [
      { id: 4, content: "</s>", special: true, normalized: false },
      { id: 5, content: "<s>", special: true, normalized: false },
    ],
    decoder: { type: "Fuse" },
    model: { type: "BPE", vocab, merges: ["a b"], unk_token: null },
  };
  const config = { eos_token: "</s>", bos_token: "<s>", add_bos_token: true };
  return tokenizerFromJson(json, "t.json", { config });
}

describe("tokenizeExample", () => {
  test("prompt, completion and end id; the completion starts after the prompt", () => {
    const { ids, completionStart } = tokenizeExample(digits, { prompt: "1+2=", completion: "3" });
    expect(ids).toEqual([1, 10, 2, 11, 3, 13]);
    expect(completionStart).toBe(4);
  });

  test("an empty prompt predicts everything after the first token; no end id without one", () => {
    const plain = characterTokenizer("abc", { specialTokens: false });
    expect(tokenizeExample(plain, { prompt: "", completion: "abc" })).toEqual({
      ids: [0, 1, 2],
      completionStart: 1,
    });
  });

  test("the prompt keeps the ids it has at generation, merged with nothing", async () => {
    const tokenizer = await mergingTokenizer();
    expect(encodePrompt(tokenizer, "ca")).toEqual([5, 3, 0]);
    expect(tokenizeExample(tokenizer, { prompt: "ca", completion: "bc" })).toEqual({
      ids: [5, 3, 0, 1, 3, 4],
      completionStart: 3,
    });
    expect(tokenizeExample(tokenizer, { prompt: "c", completion: "abc" })).toEqual({
      ids: [5, 3, 2, 3, 4],
      completionStart: 2,
    });
  });

  test("a row that is too long is an error, never cut", () => {
    const example = { prompt: "1+2=", completion: "3" };
    expect(tokenizeExample(digits, example, { maxLength: 6 }).ids).toHaveLength(6);
    expect(() => tokenizeExample(digits, example, { maxLength: 5 })).toThrow(
      "maxLength: The row has 6 tokens (4 of them the prompt), more than 5.",
    );
  });
});

describe("tokenizeExamples", () => {
  const examples = [
    { prompt: "1=", completion: "1" },
    { prompt: "12=", completion: "3456" },
    { prompt: "12345=", completion: "6" },
    { prompt: "", completion: "12" },
  ];

  test("truncate cuts completions, drops rows without room, and counts both", () => {
    const { sequences, indices, report } = tokenizeExamples(digits, examples, {
      maxLength: 6,
      longRows: "truncate",
    });
    expect(sequences.map(({ ids }) => digits.decode(ids))).toEqual(["1=1", "12=345", "12"]);
    expect(sequences[1]?.ids).not.toContain(digits.endIds[0]);
    expect(indices).toEqual([0, 1, 3]);
    expect(report).toEqual({
      rows: 4,
      kept: 3,
      truncated: 1,
      dropped: 1,
      tokens: 4 + 6 + 3,
      completionTokens: 2 + 3 + 2,
      tokensCutOff: 2,
      longest: 8,
    });
  });

  test("drop leaves long rows out", () => {
    const { indices, report } = tokenizeExamples(digits, examples, {
      maxLength: 6,
      longRows: "drop",
    });
    expect(indices).toEqual([0, 3]);
    expect(report).toMatchObject({ kept: 2, truncated: 0, dropped: 2, tokensCutOff: 0 });
  });

  test("error names the row", () => {
    expect(() => tokenizeExamples(digits, examples, { maxLength: 6, longRows: "error" })).toThrow(
      "maxLength: Row 2 has 8 tokens (3 of them the prompt), more than 6.",
    );
  });

  test("without a limit nothing happens to any row", () => {
    const { report } = tokenizeExamples(byteTokenizer(), examples, { longRows: "error" });
    expect(report).toMatchObject({ rows: 4, kept: 4, truncated: 0, dropped: 0, longest: 8 });
  });

  test("when no row is left, and when text has no ids, the error says so", () => {
    expect(() =>
      tokenizeExamples(digits, [{ prompt: "12=", completion: "3" }], {
        maxLength: 3,
        longRows: "truncate",
      }),
    ).toThrow("None of the 1 rows fits into 3 tokens. The longest has 5");
    expect(() =>
      tokenizeExamples(digits, [...examples, { prompt: "1=", completion: "x" }], {
        longRows: "error",
      }),
    ).toThrow('row 5: The character "x" (U+0078) at position 2');
  });
});
