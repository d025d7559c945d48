import { describe, expect, test } from "vitest";
import { tokenizerEngine } from "../../src/data/tokenizers/engine/engine.js";
import type { JsonObject } from "../../src/data/tokenizers/vocabulary.js";
import { readVocabulary } from "../../src/data/tokenizers/vocabulary.js";

// What random tokenizers (scripts/differential) found, with what Python's tokenizers 0.23.3 makes of it.

const encode = (json: JsonObject, text: string) => {
  const whole = { version: "1.0", added_tokens: [], ...json };
  return tokenizerEngine(whole, readVocabulary(whole, "t.json"), "t.json").encode(text);
};

describe("no match begins within a character of two UTF-16 units", () => {
  const vocab = { "<unk>": 0, a: 1, "👨": 2, "👩": 3, b: 4, "-": 5, " ": 6 };
  const model = { type: "BPE", vocab, merges: [], unk_token: "<unk>" };

  test.each([
    ["(?<!\\s)x*", [5, 1, 5, 2, 5, 3, 5, 6, 4, 5]],
    ["(?<=\\S)", [1, 5, 2, 5, 3, 5, 6, 4, 5]],
    ["\\B", [1, 2, 5, 3, 5, 6, 4]],
    ["^\\s*", [5, 1, 2, 3, 6, 4]],
    ["(?!a)", [1, 5, 2, 5, 3, 5, 6, 5, 4, 5]],
  ])("%s", (Regex, ids) => {
    const normalizer = { type: "Replace", pattern: { Regex }, content: "-" };
    expect(encode({ model, normalizer }, "a👨👩 b")).toEqual(ids);
    const pretokenizer = { type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false };
    expect(encode({ model, pre_tokenizer: pretokenizer }, "a👨👩 b")).toEqual([1, 2, 3, 6, 4]);
  });
});

describe("an added token of white space after one that takes white space along", () => {
  const model = { type: "WordLevel", vocab: { a: 0, "<unk>": 1 }, unk_token: "<unk>" };
  const plain = { single_word: false, normalized: false, special: false };
  const token = (id: number, content: string, lstrip: boolean, rstrip: boolean) => ({
    ...plain,
    ...{ id, content, lstrip, rstrip },
  });
  const text = "a      <s>  <s>  a";

  test.each([
    ["before and after", true, true, [0, 2, 3, 3, 0]],
    ["after: each of them", false, true, [0, 2, 2, 2, 3, 2, 3, 2, 0]],
    ["before", true, false, [0, 2, 2, 2, 3, 2, 3, 2, 0]],
  ])("%s", (_, lstrip, rstrip, ids) => {
    const added_tokens = [token(2, "  ", lstrip, rstrip), token(3, "<s>", lstrip, rstrip)];
    expect(encode({ model, added_tokens }, text)).toEqual(ids);
  });
});

test("of two paths of equal score the first is taken, with the scores as the original rounds them", () => {
  const vocab = [
    ["<unk>", 0],
    [" ", -2.0459212887557916],
    ["a", -3.7969658610940282],
    ["aaaaaa", -6.607302361838213],
  ];
  const model = { type: "Unigram", unk_id: 0, vocab, byte_fallback: false };
  expect(encode({ model }, " aaaaaaa")).toEqual([1, 2, 3]);
  expect(encode({ model }, "aaaaaaa")).toEqual([2, 3]);
});

describe("whether a text still begins where it did, for a space before the first word only", () => {
  const words = Object.fromEntries([..."▁abdelorwx_ "].map((character, id) => [character, id]));
  const model = { type: "BPE", vocab: words, merges: [], unk_token: null };
  const parts = { replacement: "▁", prepend_scheme: "first", split: false };
  const pre_tokenizer = { type: "Metaspace", ...parts };

  test.each([
    [" {2,}", " ", "  lo", "▁lo"],
    [" {2,}", " ", " lo", "▁lo"],
    ["d", "b", "dado", "▁babo"],
    ["d", "", "dado", "ao"],
    ["da", "b", "dado", "bdo"],
    ["😀", "b", "😀ado", "▁bado"],
    ["^", "b", "", ""],
  ])("%s becomes %j in %j", (Regex, content, text, spelt) => {
    const normalizer = { type: "Replace", pattern: { Regex }, content };
    const ids = encode({ model, normalizer, pre_tokenizer }, text);
    expect(ids.map((id) => [...Object.keys(words)][id]).join("")).toBe(spelt);
  });
});

test("an added token of which the normalizer leaves nothing is refused by name", () => {
  const model = { type: "WordLevel", vocab: { a: 0, "<unk>": 1 }, unk_token: "<unk>" };
  const added_tokens = [{ id: 2, content: "\u200b", normalized: true, special: false }];
  const normalizer = { type: "Replace", pattern: { String: "\u200b" }, content: "" };
  expect(() => encode({ model, normalizer, added_tokens }, "a")).toThrow(
    /^t\.json: added_tokens: The tokenizer has a part .* leaves nothing of this token/,
  );
});
