import { describe, expect, test } from "vitest";
import {
  characterTokenizer,
  encodePrompt,
  type Tokenizer,
  tokenizeExample,
  tokenizerFromJson,
} from "../../../../src/data/index.js";

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
    const shortest = { prompt: "", completion: "1" };
    expect(tokenizeExample(digits, shortest, { maxLength: 2 }).ids).toHaveLength(2);
    expect(() => tokenizeExample(digits, shortest, { maxLength: 1 })).toThrow("at least 2, got 1");
    expect(() => tokenizeExample(digits, example, { maxLength: 5 })).toThrow(
      "maxLength: The row has 6 tokens (4 of them the prompt), more than 5.",
    );
  });
});
