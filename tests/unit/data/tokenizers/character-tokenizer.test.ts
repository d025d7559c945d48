import { describe, expect, test } from "vitest";
import { characterTokenizer, tokenizerFromJson } from "../../../../src/data/index.js";
import { PupilError } from "../../../../src/errors/index.js";
import { hubIds } from "./hub-tokenizer.js";

describe("characterTokenizer", () => {
  test("numbers the sorted characters of a text, then <pad> and <end>", () => {
    const tokenizer = characterTokenizer("hello\n");
    expect(tokenizer.encode("\nehlo")).toEqual([0, 1, 2, 3, 4]);
    expect(tokenizer.vocabSize).toBe(7);
    expect(tokenizer.padId).toBe(5);
    expect(tokenizer.endIds).toEqual([6]);
    expect(tokenizer.startIds).toEqual([]);
  });

  test("keeps the order of a given alphabet", () => {
    expect(characterTokenizer({ alphabet: "=+0" }).encode("0+=")).toEqual([2, 1, 0]);
  });

  test("without special tokens nothing ends a text", () => {
    const tokenizer = characterTokenizer("ab", { specialTokens: false });
    expect([tokenizer.vocabSize, tokenizer.endIds, tokenizer.padId]).toEqual([2, [], 0]);
    expect(tokenizer.toConfigJson()).not.toHaveProperty("eos_token");
  });

  test("works on code points and decodes what it encoded, without special tokens", () => {
    const text = "naïve 🙂 «日本»\r\n\t";
    const tokenizer = characterTokenizer(text);
    const ids = tokenizer.encode(text);
    expect(ids).toHaveLength(Array.from(text).length);
    expect(tokenizer.decode([...ids, ...tokenizer.endIds, tokenizer.padId, 999])).toBe(text);
    expect(tokenizer.encode("")).toEqual([]);
    expect(tokenizer.decode([])).toBe("");
  });

  test("an unknown character is named with its position and a remedy", () => {
    const tokenizer = characterTokenizer("abc\n🙂");
    let error: unknown;
    try {
      tokenizer.encode("a🙂\ncéb");
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(PupilError);
    expect((error as Error).message).toBe(
      'The character "é" (U+00E9) at position 4 (line 2) is not among the 5 characters of the ' +
        "tokenizer. Make the tokenizer from a text that has every character you use, or take the " +
        "byte tokenizer.",
    );
  });

  test("refuses an empty or repeated alphabet", () => {
    expect(() => characterTokenizer("")).toThrow("at least one character");
    expect(() => characterTokenizer({ alphabet: "abca" })).toThrow(
      'alphabet: has the character "a" twice',
    );
  });

  test("the fingerprint follows the mapping of characters to ids", () => {
    const fingerprint = characterTokenizer("abc").fingerprint;
    expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
    expect(characterTokenizer("cabbac").fingerprint).toBe(fingerprint);
    expect(characterTokenizer({ alphabet: "acb" }).fingerprint).not.toBe(fingerprint);
    expect(characterTokenizer("abd").fingerprint).not.toBe(fingerprint);
    expect(characterTokenizer("abc", { specialTokens: false }).fingerprint).not.toBe(fingerprint);
  });

  test.each([true, false])("is read back from its own JSON (specialTokens %s)", async (special) => {
    const tokenizer = characterTokenizer({ alphabet: "z90 1\n🙂" }, { specialTokens: special });
    const json: unknown = JSON.parse(JSON.stringify(tokenizer.toJson()));
    const again = await tokenizerFromJson(json, "tokenizer.json", {
      config: tokenizer.toConfigJson(),
    });
    expect(again.encode("1 🙂\n0z9")).toEqual(tokenizer.encode("1 🙂\n0z9"));
    expect(again.fingerprint).toBe(tokenizer.fingerprint);
    expect(again.endIds).toEqual(tokenizer.endIds);
    expect(again.padId).toBe(tokenizer.padId);
    expect(() => again.encode("é")).toThrow(PupilError);
  });

  test("transformers.js loads its JSON and gives the same ids", async () => {
    const text = "z 9\n\n10🙂\r\té ";
    const tokenizer = characterTokenizer(text);
    const hub = await hubIds(tokenizer, text);
    expect(hub.ids).toEqual(tokenizer.encode(text));
    expect(hub.text).toBe(text);
    expect(hub.endId).toBe(tokenizer.endIds[0]);
  });
});
