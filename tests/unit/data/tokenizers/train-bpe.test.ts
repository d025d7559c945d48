import { describe, expect, test } from "vitest";
import {
  countWords,
  tokenizerFromJson,
  trainBpe,
  type TrainedBpe,
  wordCounter,
} from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { randomText } from "../../../setup/data/random-text.js";
import { hubIds } from "./hub-tokenizer.js";

const story = "the cat sat on the mat, the bat sat on the hat; that's it. ".repeat(3);

function mergesOf({ json }: TrainedBpe): string[] {
  const { merges } = json.model as { merges: [string, string][] };
  return merges.map(([left, right]) => `${left} ${right}`);
}

/** Byte pair encoding as its definition says: every pair counted anew for every merge. */
function mergesByDefinition(texts: readonly string[], maxMerges: number, minFrequency: number) {
  let words = [...countWords(texts)].map(([word, count]) => ({
    tokens: Array.from(new TextEncoder().encode(word), (byte) => String.fromCharCode(byte)),
    count,
  }));
  const merges: [string, string][] = [];
  while (merges.length < maxMerges) {
    const counts = new Map<string, { pair: [string, string]; count: number }>();
    for (const { tokens, count } of words) {
      for (let i = 0; i + 1 < tokens.length; i++) {
        const pair: [string, string] = [tokens[i] as string, tokens[i + 1] as string];
        const entry = counts.get(JSON.stringify(pair)) ?? { pair, count: 0 };
        counts.set(JSON.stringify(pair), { pair, count: entry.count + count });
      }
    }
    const [best] = [...counts.values()].sort(({ pair: [a, b], count: n }, other) => {
      const [c, d] = other.pair;
      if (n !== other.count) return other.count - n;
      if (a !== c) return a > c ? -1 : 1;
      return b > d ? -1 : 1;
    });
    if (best === undefined || best.count < minFrequency) break;
    const [left, right] = best.pair;
    merges.push([left, right]);
    words = words.map(({ tokens, count }) => {
      const merged: string[] = [];
      for (let i = 0; i < tokens.length; i++) {
        const isPair = tokens[i] === left && tokens[i + 1] === right;
        merged.push(isPair ? left + right : (tokens[i] as string));
        if (isPair) i += 1;
      }
      return { tokens: merged, count };
    });
  }
  const tokens = words.reduce((sum, word) => sum + word.tokens.length * word.count, 0);
  return { merges, tokens };
}

describe("trainBpe", () => {
  test("merges the most frequent pair, of equal ones that with the greater bytes", () => {
    // Once each: (a b), (c d); a greater left token wins. Then the rest in the same order.
    expect(mergesOf(trainBpe(["ab cd"], { vocabSize: 262, minFrequency: 1 }))).toEqual([
      "c d",
      "a b",
      "Ġ cd",
    ]);
    expect(mergesOf(trainBpe(["aaaa"], { vocabSize: 262, minFrequency: 1 }))).toEqual([
      "a a",
      "aa aa",
    ]);
  });

  test.each([1, 2, 3, 4])("is the definition, for random texts (seed %d)", (seed) => {
    const random = new Random(seed);
    const texts = Array.from({ length: 12 }, () => randomText(random, 60));
    const minFrequency = seed % 2 === 0 ? 1 : 3;
    const expected = mergesByDefinition(texts, 120, minFrequency);
    const trained = trainBpe(texts, { vocabSize: 258 + 120, minFrequency });
    const written = (bytes: string) =>
      Array.from(bytes, (byte) => byteCharacter(byte.charCodeAt(0))).join("");
    expect(mergesOf(trained)).toEqual(
      expected.merges.map(([left, right]) => `${written(left)} ${written(right)}`),
    );
    expect(trained.report.tokens).toBe(expected.tokens);
  });

  test("its tokenizer encodes any text, gives it back, and ends completions", async () => {
    const { json, configJson, report } = trainBpe([story], { vocabSize: 300 });
    const tokenizer = await tokenizerFromJson(json, "trained", { config: configJson });
    expect(tokenizer.vocabSize).toBe(report.vocabSize);
    expect(tokenizer.padId).toBe(report.vocabSize - 2);
    expect(tokenizer.endIds).toEqual([report.vocabSize - 1]);
    expect(tokenizer.encode(story)).toHaveLength(report.tokens);
    expect(tokenizer.encode(" the")).toHaveLength(1);
    const random = new Random(7);
    for (let i = 0; i < 20; i++) {
      const text = randomText(random, 30);
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      expect((await hubIds(tokenizer, text)).ids).toEqual(tokenizer.encode(text));
    }
  });

  test("special tokens get the last ids and are not learned from", async () => {
    const texts = ["<user>hi<user>hi<user>hi<end>"];
    const trained = trainBpe(texts, { vocabSize: 400, specialTokens: ["<user>"] });
    expect(mergesOf(trained)).toEqual(["h i"]);
    const { json, configJson, report } = trained;
    const tokenizer = await tokenizerFromJson(json, "trained", { config: configJson });
    expect(tokenizer.encode("<user>hi<end>")).toEqual([259, 256, 258]);
    expect(report).toMatchObject({ vocabSize: 260, merges: 1, bytes: 6, tokens: 3 });
  });

  test("stops where no pair is frequent enough, and says how far it came", () => {
    const { report } = trainBpe(["ab ab ab cd"], { vocabSize: 1000, minFrequency: 3 });
    expect(report).toEqual({ vocabSize: 259, merges: 1, words: 3, bytes: 11, tokens: 8 });
  });

  test.each([
    [
      "no room for a merge",
      ["ab"],
      { vocabSize: 258 },
      "vocabSize: is 258, which leaves no room for a merge.",
    ],
    ["no text", ["", ""], { vocabSize: 300 }, "There is no text"],
    [
      "a special token twice",
      ["ab"],
      { vocabSize: 300, specialTokens: ["<end>"] },
      'specialTokens: "<end>" is there twice.',
    ],
    [
      "a special token of one character",
      ["ab"],
      { vocabSize: 300, specialTokens: ["|"] },
      'specialTokens: "|" is shorter than two characters.',
    ],
    [
      "a special token that looks like an ordinary one",
      ["a t a t"],
      { vocabSize: 300, specialTokens: ["Ġt"] },
      'specialTokens: "Ġt" is also a token of ordinary text.',
    ],
  ])("refuses %s", (_name, texts, options, problem) => {
    expect(() => trainBpe(texts, options)).toThrow(problem);
  });
});

describe("wordCounter", () => {
  test("splits as GPT-2 does", () => {
    const words = [...countWords(["I'll say  it's\n\n 42nd, déjà-vu!"]).keys()];
    expect(words).toEqual([
      "I",
      "'ll",
      " say",
      " ",
      " it",
      "'s",
      "\n\n",
      " 42",
      "nd",
      ",",
      " déjà",
      "-",
      "vu",
      "!",
    ]);
  });

  test("counts do not depend on how a text is cut into parts", () => {
    const random = new Random(3);
    for (let i = 0; i < 30; i++) {
      const text = randomText(random, 80).replaceAll("a", "<end>");
      const counter = wordCounter(["<end>"]);
      for (let at = 0; at < text.length; ) {
        const size = 1 + random.integer(9);
        counter.add(text.slice(at, at + size));
        at += size;
      }
      counter.endText();
      expect(counter.length).toBe(text.length);
      const byWord = (counts: Iterable<[string, number]>) => new Map([...counts].sort());
      expect(byWord(counter.counts)).toEqual(byWord(countWords([text], ["<end>"])));
    }
  });
});

function byteCharacter(byte: number): string {
  const printable =
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  if (printable) return String.fromCharCode(byte);
  const before = Array.from({ length: byte }, (_, i) => i).filter(
    (i) => !((i >= 33 && i <= 126) || (i >= 161 && i <= 172) || i >= 174),
  );
  return String.fromCharCode(256 + before.length);
}
