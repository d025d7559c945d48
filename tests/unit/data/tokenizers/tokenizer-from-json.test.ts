import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type TokenizerOptions, tokenizerFromJson } from "../../../../src/data/index.js";
import { missing, sharedData } from "../../../setup/data/shared-data.js";

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(sharedData(path), "utf8"));
}

function loadFolder(folder: string, options: TokenizerOptions = {}) {
  const config = readJson(`${folder}/tokenizer_config.json`);
  const json = readJson(`${folder}/tokenizer.json`);
  return tokenizerFromJson(json, `${folder}/tokenizer.json`, { config, ...options });
}

/** "low" and "lower" with two merges, an unknown token and older-style omissions. */
function tinyJson(): Record<string, unknown> {
  const vocab = { "<unk>": 0, l: 1, o: 2, w: 3, lo: 4, low: 5, "</s>": 6 };
  return {
    version: "1.0",
    added_tokens: [{ id: 6, content: "</s>", special: true, normalized: false }],
    pre_tokenizer: { type: "Whitespace" },
    decoder: { type: "Fuse" },
    model: { type: "BPE", vocab, merges: ["l o", "lo w"], unk_token: "<unk>" },
  };
}
const tinyConfig = { eos_token: { content: "</s>" } };

describe("tokenizerFromJson", () => {
  test("runs merges and takes the end token from the config", async () => {
    const tokenizer = await tokenizerFromJson(tinyJson(), "t.json", { config: tinyConfig });
    expect(tokenizer.encode("low lo")).toEqual([5, 4]);
    expect(tokenizer.decode([5, 6, 4, 77])).toBe("lowlo");
    expect(tokenizer.decode([])).toBe("");
    expect(tokenizer.endIds).toEqual([6]);
    expect(tokenizer.padId).toBe(6);
    expect(tokenizer.vocabSize).toBe(7);
    expect(tokenizer.startIds).toEqual([]);
  });

  test("a merge that is no pair of tokens is named, however deep it is nested", async () => {
    let nested: unknown[] = [];
    for (let depth = 0; depth < 20_000; depth++) nested = [nested];
    for (const merge of [[nested, "o"], nested, [["l"], "o"], 3, "l o w"]) {
      const json = tinyJson();
      (json["model"] as { merges: unknown[] }).merges[1] = merge;
      await expect(tokenizerFromJson(json, "t.json")).rejects.toThrow(
        /^t\.json: model\.merges\[1\]: is a merge of tokens, or into one, that the vocabulary does not have/,
      );
    }
  });

  test("text outside the vocabulary is named", async () => {
    const tokenizer = await tokenizerFromJson(tinyJson(), "t.json", { config: tinyConfig });
    expect(() => tokenizer.encode("low lox")).toThrow('no token for "x" (in "lox")');
  });

  test("no end token without a config, given ids replace it and survive saving", async () => {
    expect((await tokenizerFromJson(tinyJson(), "t.json")).endIds).toEqual([]);
    const options = { config: tinyConfig, endIds: [3, 6] };
    const tokenizer = await tokenizerFromJson(tinyJson(), "t.json", options);
    expect(tokenizer.endIds).toEqual([3, 6]);
    const saved = { config: tokenizer.toConfigJson() };
    expect((await tokenizerFromJson(tokenizer.toJson(), "t.json", saved)).endIds).toEqual([3, 6]);
  });

  test("the fingerprint ignores how merges are written, not what ids mean", async () => {
    const pairs = tinyJson();
    (pairs.model as { merges: unknown }).merges = [
      ["l", "o"],
      ["lo", "w"],
    ];
    const swapped = tinyJson();
    (swapped.model as { vocab: unknown }).vocab = { "<unk>": 0, l: 2, o: 1, w: 3, lo: 4, low: 5 };
    const [a, b, c] = await Promise.all(
      [tinyJson(), pairs, swapped].map((json) => tokenizerFromJson(json, "t.json")),
    );
    expect(b?.fingerprint).toBe(a?.fingerprint);
    expect(c?.fingerprint).not.toBe(a?.fingerprint);
  });

  test.each([
    ["not an object", 3, "bad.json: is not a tokenizer.json"],
    [
      "no vocabulary",
      { model: { type: "BPE" } },
      'bad.json: is not a tokenizer.json: it has no "model.vocab"',
    ],
    ["an id that is no number", { model: { vocab: { a: "0" } } }, 'bad.json: model.vocab["a"]'],
    [
      "a damaged added token",
      { model: { vocab: {} }, added_tokens: [{}] },
      "bad.json: added_tokens[0]",
    ],
    [
      "an unknown part",
      { ...tinyJson(), decoder: { type: "Nope" } },
      "bad.json: decoder.type: The tokenizer has a part that this version cannot run exactly",
    ],
  ])("says what is wrong with %s", async (_, json, message) => {
    await expect(tokenizerFromJson(json, "bad.json")).rejects.toThrow(message);
  });

  test("says which config token or end id is not in the vocabulary", async () => {
    const config = { eos_token: "<|endoftext|>" };
    await expect(tokenizerFromJson(tinyJson(), "t.json", { config })).rejects.toThrow(
      'tokenizer_config.json: eos_token: "<|endoftext|>" is not in the vocabulary of t.json',
    );
    await expect(tokenizerFromJson(tinyJson(), "t.json", { endIds: [7] })).rejects.toThrow(
      "Its ids are 0 to 6.",
    );
  });
});

const gpt2 = "tokenizers/gpt2";
describe.skipIf(missing(`${gpt2}/tokenizer.json`))(
  "GPT-2 (needs ../shared/data/tokenizers/gpt2)",
  () => {
    test("gives the published ids and decodes them back", async () => {
      const tokenizer = await loadFolder(gpt2);
      expect(tokenizer.vocabSize).toBe(50_257);
      expect(tokenizer.endIds).toEqual([50_256]);
      expect(tokenizer.padId).toBe(50_256);
      expect(tokenizer.startIds).toEqual([]);
      const { cases } = readJson("tokenizers/expected/gpt2_llamacpp_cases.json") as {
        cases: { text: string; ids: number[] }[];
      };
      expect(cases.length).toBeGreaterThan(40);
      for (const { text, ids } of cases) {
        expect(tokenizer.encode(text)).toEqual(ids);
        expect(tokenizer.decode([...ids, 50_256])).toBe(text);
      }
      const long = readJson("tokenizers/expected/gpt2_encoded_tokens.json") as {
        text: string;
        token_ids: number[];
      };
      expect(tokenizer.encode(long.text)).toEqual(long.token_ids);
    });
  },
);

const stories = "stories260k-hf";
describe.skipIf(missing(`${stories}/tokenizer.json`))(
  "a Llama tokenizer (needs ../shared/data/stories260k-hf)",
  () => {
    test("knows its start token and takes other end ids", async () => {
      const tokenizer = await loadFolder(stories, { endIds: [1, 2] });
      const ids = tokenizer.encode("Once upon a time");
      expect([...tokenizer.startIds, ...ids]).toEqual([1, 403, 407, 261, 378]);
      expect(tokenizer.decode([1, ...ids, 2])).toBe("Once upon a time");
      expect(tokenizer.endIds).toEqual([1, 2]);
      expect((await loadFolder(stories)).endIds).toEqual([2]);
      expect(tokenizer.decode(tokenizer.encode("é🙂"))).toBe("é🙂");
    });
  },
);
