import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { tokenizerEngine } from "../../src/data/tokenizers/engine/engine.js";
import type { JsonObject } from "../../src/data/tokenizers/vocabulary.js";
import { readVocabulary } from "../../src/data/tokenizers/vocabulary.js";
import { loadTokenizer } from "../../src/node/index.js";
import { missing, sharedData } from "../setup/data/shared-data.js";

type Case = [plain: number[], framed: number[] | null, text: string, withSpecials: string];
interface Fixtures {
  readonly texts: string[];
  readonly tokenizers: { name: string; json: JsonObject; cases: Case[] }[];
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8"));

// scripts/fixtures/make-tokenizer-fixtures.py
const { texts, tokenizers } = read("tokenizers.json") as Fixtures;

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

describe("a charsmap of SentencePiece", () => {
  // scripts/fixtures/make-precompiled-fixture.py
  const compiled = read("precompiled.json") as {
    readonly texts: string[];
    readonly tokenizers: { name: string; json: JsonObject; cases: [number[], string][] }[];
  };

  test.each(compiled.tokenizers)("$name", ({ name, json, cases }) => {
    const engine = tokenizerEngine(json, readVocabulary(json, name), name);
    for (const [i, text] of compiled.texts.entries()) {
      const [ids, decoded] = cases[i] as [number[], string];
      expect([text, engine.encode(text)]).toEqual([text, ids]);
      expect(engine.decode(ids, true)).toBe(decoded);
    }
  });
});

describe.skipIf(missing("tokenizers"))(
  "random texts of mixed scripts (needs ../shared/data/tokenizers)",
  () => {
    // scripts/fixtures/make-random-text-fixture.py
    const random = read("random-texts.json") as {
      readonly texts: string[];
      readonly tokenizers: Record<string, { texts: string[] | null; ids: [number, string][] }>;
    };

    test.each(Object.entries(random.tokenizers))("%s", async (name, { texts: own, ids }) => {
      const tokenizer = await loadTokenizer(sharedData(`tokenizers/${name}`));
      const given = own ?? random.texts;
      expect(given.join("").length).toBeGreaterThan(1500);
      for (const [i, text] of given.entries()) {
        const found = tokenizer.encode(text);
        const hash = createHash("sha256").update(found.join(" ")).digest("hex");
        expect([text, found.length, hash]).toEqual([text, ...(ids[i] as [number, string])]);
      }
    });
  },
);
