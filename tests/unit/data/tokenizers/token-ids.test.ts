import { describe, expect, test } from "vitest";
import { byteTokenizer, rowTokenizer, type Tokenizer } from "../../../../src/data/index.js";
import { translate } from "../../../../src/data/tokenizers/engine/pattern.js";
import { tokenizerFromJson } from "../../../../src/data/tokenizers/tokenizer-from-json.js";

const row = { example: { prompt: "a", completion: "b" }, id: "rows.jsonl:1" };

describe("ids that are none never reach a store", () => {
  test.each([
    ["undefined", undefined],
    ["not whole", 1.5],
    ["negative", -1],
    ["beyond the vocabulary", 258],
    ["no number", "7"],
  ])("%s, from an object of the user's own", (_, id) => {
    const tokenizer: Tokenizer = { ...byteTokenizer(), encode: () => [97, id as number] };
    expect(() => rowTokenizer(tokenizer, {}).encode(row)).toThrow(
      /The tokenizer gave .* as token 1/,
    );
  });
});

describe("parts that are not known to be faithful", () => {
  const json = (part: object) => ({
    model: { type: "WordLevel", vocab: { a: 0, "<unk>": 1 }, unk_token: "<unk>" },
    ...part,
  });

  test.each([
    [{ pre_tokenizer: { type: "BertPreTokenizer2" } }, "t.json: pre_tokenizer.type"],
    [{ pre_tokenizer: { type: "UnicodeScripts" } }, "t.json: pre_tokenizer.type"],
    [
      { pre_tokenizer: { type: "Digits", individual_digits: true, radix: 16 } },
      "t.json: pre_tokenizer.radix",
    ],
    [
      { normalizer: { type: "Sequence", normalizers: [{ type: "NFC" }, { type: "Nope" }] } },
      "t.json: normalizer.normalizers[1].type",
    ],
    [
      {
        pre_tokenizer: {
          type: "Split",
          pattern: { Regex: "(a)\\1" },
          behavior: "Isolated",
          invert: false,
        },
      },
      "t.json: pre_tokenizer.pattern.Regex",
    ],
    [
      {
        pre_tokenizer: {
          type: "Sequence",
          pretokenizers: [
            { type: "ByteLevel", add_prefix_space: false },
            { type: "Metaspace", replacement: "▁", prepend_scheme: "first" },
          ],
        },
      },
      "t.json: pre_tokenizer.pretokenizers[1].prepend_scheme",
    ],
    [{ added_tokens: [{ id: 9, content: "b", special: true }] }, "t.json: added_tokens[0].id"],
  ])("%j", async (part, field) => {
    await expect(tokenizerFromJson(json(part), "t.json")).rejects.toThrow(field);
  });

  test("word-level text outside the vocabulary is the unknown token", async () => {
    const tokenizer = await tokenizerFromJson(
      json({ pre_tokenizer: { type: "WhitespaceSplit" } }),
      "t.json",
    );
    expect(tokenizer.encode("a N a")).toEqual([0, 1, 0]);
    expect(tokenizer.unknownId).toBe(1);
  });

  test.each(["\\K", "(?<name>a)", "[[:alpha:]]", "[a&&b]", "a**", "(?i:ss)", "\\X", "(?i:é)"])(
    "the pattern %s",
    (pattern) => {
      expect(translate(pattern)).toBeUndefined();
    },
  );
});
