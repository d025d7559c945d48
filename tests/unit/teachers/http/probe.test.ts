import { expect, test } from "vitest";
import { byteTokenizer, type Tokenizer } from "../../../../src/data/index.js";
import { checkTexts, probeIds } from "../../../../src/teachers/http/probe.js";

/** Of three tokens, where the text of two of one may be other tokens. */
function tokenizerOf(texts: readonly string[], encoded: Record<string, number[]>): Tokenizer {
  return {
    ...byteTokenizer(),
    ...{ vocabSize: texts.length, startIds: [7] },
    decode: (ids: readonly number[]) => ids.map((id) => texts[id]).join(""),
    encode: (text: string) => {
      const ids = encoded[text];
      if (ids === undefined) throw new Error("no such text");
      return ids;
    },
  };
}

test("the probe is the start ids and the first id that is twice itself as text", () => {
  const texts = ["a", "b", "c"];
  expect(probeIds(tokenizerOf(texts, { aa: [0, 0], bb: [1, 1] }))).toEqual([7, 0, 0]);
  expect(probeIds(tokenizerOf(texts, { aa: [2], bb: [1, 1] }))).toEqual([7, 1, 1]);
  expect(probeIds(tokenizerOf(texts, { aa: [0, 1], bb: [0, 1], cc: [2, 2] }))).toEqual([7, 2, 2]);
  expect(probeIds(tokenizerOf(texts, { aa: [0, 0, 0], cc: [2, 2] }))).toEqual([7, 2, 2]);
  // None is: then the first, whatever it may be sent as.
  expect(probeIds(tokenizerOf(["", "\ufffd", "c"], {}))).toEqual([7, 0, 0]);
});

test("a majority of other texts is another tokenizer", () => {
  const tokenizer = tokenizerOf(["a", " b", "c"], {});
  const check = (...texts: string[]) => {
    checkTexts({ tokenIds: [0, 1, 2], texts }, tokenizer);
  };
  expect(() => check("a", "\u0120b", "c")).not.toThrow();
  expect(() => check("a", "b", "x")).not.toThrow();
  expect(() => check("a", "x", "y")).toThrow();
  expect(() => check("x", "", "y")).toThrow();
  expect(() => check()).not.toThrow();
});
