import { describe, expect, test } from "vitest";
import { byteTokenizer, characterTokenizer, type Tokenizer } from "../../../../src/data/index.js";
import { tokenTexts } from "../../../../src/teachers/http/token-texts.js";

describe("the texts of tokens", () => {
  test("are their pieces, what they decode to, and vLLM's names of them", () => {
    const texts = tokenTexts(characterTokenizer({ alphabet: "abc" }));
    for (const [id, letter] of [..."abc"].entries()) {
      expect(texts.idsOf(letter)).toEqual([id]);
      expect(texts.idsOf(`token_id:${id}`)).toEqual([id]);
      expect(texts.canBe(letter, id)).toBe(true);
      expect(texts.canBe(letter, (id + 1) % 3)).toBe(false);
    }
    expect(texts.idsOf("z")).toEqual([]);
    expect(texts.idsOf("")).toEqual([]);
    expect(texts.idsOf("token_id:99")).toEqual([]);
  });

  test("a part of a character has none that is its own", () => {
    const texts = tokenTexts(byteTokenizer());
    expect(texts.idsOf("A")).toEqual([byteTokenizer().encode("A")[0]]);
    expect(texts.idsOf("\ufffd")).toEqual([]);
  });

  test("of SentencePiece have the space, and a byte only where no piece has its text", () => {
    const vocab: [string, number][] = [
      ["▁the", -1],
      ["<0x0A>", -2],
      ["<0x41>", -2],
      ["A", -3],
      ["▁a▁b", -4],
    ];
    const decoded = ["the", "\n", "A", "A", "a b"];
    const tokenizer = {
      vocabSize: 6,
      decode: ([id = 0]: readonly number[]) => decoded[id] ?? "",
      toJson: () => ({ model: { vocab }, added_tokens: [{ id: 5, content: "<s>" }] }),
    } as unknown as Tokenizer;
    const texts = tokenTexts(tokenizer);
    expect(texts.idsOf("▁the")).toEqual([0]);
    expect(texts.idsOf(" the")).toEqual([0]);
    expect(texts.idsOf(" a b")).toEqual([4]);
    expect(texts.idsOf("the")).toEqual([]);
    expect(texts.idsOf("\n")).toEqual([1]);
    expect(texts.idsOf("<0x0A>")).toEqual([1]);
    expect(texts.idsOf("A")).toEqual([3]);
    expect(texts.idsOf("<s>")).toEqual([5]);
  });
});
