import { describe, expect, test } from "vitest";
import {
  byteTokenizer,
  bytesOfTokens,
  characterTokenizer,
  vocabularyMap,
} from "../../../../src/data/index.js";
import { missing } from "../../../setup/data/shared-data.js";
import {
  sentencePieceTokenizer,
  sharedTokenizer,
  trainedTokenizer,
} from "../../../setup/data/tokenizers.js";

describe("vocabularyMap", () => {
  test("pairs ids of the same bytes and the end ids", () => {
    const student = characterTokenizer({ alphabet: "aéb" });
    const map = vocabularyMap(student, byteTokenizer());
    // "é" is two bytes there; <pad> has no counterpart that is sure to mean the same.
    expect([...map.studentIds]).toEqual([0, 2, 4]);
    expect([...map.teacherIds]).toEqual([97, 98, 257]);
    expect(map.studentCoverage).toBe(3 / 5);
    expect(map.teacherCoverage).toBe(3 / 258);
  });

  test("no end pair where one side has no end", () => {
    const student = characterTokenizer({ alphabet: "ab" }, { specialTokens: false });
    expect([...vocabularyMap(student, byteTokenizer()).studentIds]).toEqual([0, 1]);
  });

  test("a character before the byte token that means the same", async () => {
    const teacher = await sentencePieceTokenizer();
    const { studentIds, teacherIds } = vocabularyMap(characterTokenizer("a\n"), teacher);
    expect([...studentIds]).toEqual([0, 1, 3]);
    expect([...teacherIds]).toEqual([
      // "\n" has a byte token alone.
      3 + 10,
      teacher.encode("a")[1],
      2,
    ]);
  });

  test("a smaller BPE of the same text is contained in the larger one", async () => {
    const texts = ["the cat sat on the mat, the bat sat on the hat. ".repeat(4)];
    const [small, large] = await Promise.all([
      trainedTokenizer(texts, 270),
      trainedTokenizer(texts, 285),
    ]);
    const map = vocabularyMap(small, large);
    expect(map.studentIds).toHaveLength(small.vocabSize - 1);
    expect([...map.teacherIds].slice(0, 268)).toEqual(Array.from({ length: 268 }, (_, id) => id));
    expect(map.teacherIds.at(-1)).toBe(large.endIds[0]);
  });
});

describe.skipIf(missing("tokenizers/gpt2") || missing("tokenizers/phi3"))(
  "of GPT-2 and Phi-3 (needs ../shared/data/tokenizers/gpt2, phi3)",
  () => {
    test("covers over half of the smaller one, each id once", async () => {
      const [gpt2, phi3] = await Promise.all([sharedTokenizer("gpt2"), sharedTokenizer("phi3")]);
      const map = vocabularyMap(gpt2, phi3);
      expect(new Set(map.studentIds).size).toBe(map.studentIds.length);
      expect(new Set(map.teacherIds).size).toBe(map.teacherIds.length);
      for (let i = 0; i < map.studentIds.length - 1; i += 97) {
        const [s, t] = [map.studentIds[i] as number, map.teacherIds[i] as number];
        expect(bytesOfTokens(gpt2, [s])).toEqual(bytesOfTokens(phi3, [t]));
      }
      expect(map.studentCoverage).toBeCloseTo(0.362, 3);
      expect(map.teacherCoverage).toBeCloseTo(0.568, 3);
    });
  },
);
