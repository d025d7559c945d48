import { describe, expect, test } from "vitest";
import {
  byteTokenizer,
  characterTokenizer,
  tokenizerFromJson,
} from "../../../../src/data/index.js";
import { hubIds } from "./hub-tokenizer.js";

const text = "naïve 🙂\n\0\u00ad\ufeff~ ";

describe("byteTokenizer", () => {
  test("ids are UTF-8 bytes, then <pad> and <end>", () => {
    const tokenizer = byteTokenizer();
    expect(tokenizer.encode("aé")).toEqual([0x61, 0xc3, 0xa9]);
    expect([tokenizer.vocabSize, tokenizer.padId, tokenizer.endIds]).toEqual([258, 256, [257]]);
    expect(byteTokenizer({ specialTokens: false }).vocabSize).toBe(256);
  });

  test("decodes what it encoded, skips special tokens, replaces broken bytes", () => {
    const tokenizer = byteTokenizer();
    expect(tokenizer.decode([...tokenizer.encode(`\ufeff${text}`), 257, 256])).toBe(
      `\ufeff${text}`,
    );
    expect(tokenizer.decode([0xc3])).toBe("\ufffd");
    expect(tokenizer.decode([])).toBe("");
  });

  test("half a surrogate pair is an error, not a silent replacement", () => {
    expect(() => byteTokenizer().encode("ab\ud83d")).toThrow("surrogate pair at position 2");
  });

  test("is read back from its own JSON, also with other end ids", async () => {
    const tokenizer = byteTokenizer();
    const json: unknown = JSON.parse(JSON.stringify(tokenizer.toJson()));
    const again = await tokenizerFromJson(json, "tokenizer.json", { endIds: [10] });
    expect(again.encode(text)).toEqual(tokenizer.encode(text));
    expect(again.fingerprint).toBe(tokenizer.fingerprint);
    expect(again.endIds).toEqual([10]);
    const config = again.toConfigJson();
    expect((await tokenizerFromJson(again.toJson(), "x", { config })).endIds).toEqual([10]);
  });

  test("transformers.js loads its JSON and gives the same ids", async () => {
    const hub = await hubIds(byteTokenizer(), text);
    expect(hub.ids).toEqual(byteTokenizer().encode(text));
    expect(hub.text).toBe(text);
    expect(hub.endId).toBe(257);
  });

  test("a character tokenizer of the same 256 characters has another fingerprint", () => {
    const { model } = byteTokenizer({ specialTokens: false }).toJson() as {
      model: { vocab: Record<string, number> };
    };
    const alphabet = Object.keys(model.vocab)
      .sort((a, b) => (model.vocab[a] as number) - (model.vocab[b] as number))
      .join("");
    const characters = characterTokenizer({ alphabet }, { specialTokens: false });
    expect(characters.fingerprint).not.toBe(byteTokenizer({ specialTokens: false }).fingerprint);
  });
});
