import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { tokenizerEngine } from "../../src/data/tokenizers/engine/engine.js";
import type { JsonObject } from "../../src/data/tokenizers/vocabulary.js";
import { readVocabulary } from "../../src/data/tokenizers/vocabulary.js";

type Case = [plain: number[], framed: number[] | null, text: string, withSpecials: string];
interface Fixtures {
  readonly texts: string[];
  readonly tokenizers: { name: string; json: JsonObject; cases: Case[] }[];
}

// scripts/make-tokenizer-fixtures.py
const file = new URL("fixtures/tokenizers.json", import.meta.url);
const { texts, tokenizers } = JSON.parse(readFileSync(file, "utf8")) as Fixtures;

describe("ids and texts of Python's tokenizers 0.23.3", () => {
  test("there are tokenizers and texts of every kind", () => {
    expect(tokenizers.length).toBeGreaterThanOrEqual(60);
    expect(texts.length).toBeGreaterThanOrEqual(40);
  });

  test.each(tokenizers)("$name", ({ name, json, cases }) => {
    const engine = tokenizerEngine(json, readVocabulary(json, name), name);
    for (const [i, text] of texts.entries()) {
      const [plain, framed, decoded, withSpecials] = cases[i] as Case;
      const ids = engine.encode(text);
      expect([text, ids]).toEqual([text, plain]);
      expect(engine.frame(ids)).toEqual(framed ?? plain);
      expect(engine.decode(plain, true)).toBe(decoded);
      expect(engine.decode(framed ?? plain, false)).toBe(withSpecials);
    }
  });
});
