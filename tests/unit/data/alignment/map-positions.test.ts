import { describe, expect, test } from "vitest";
import { mapPositions } from "../../../../src/data/alignment/map-positions.js";
import { charactersOf } from "../../../../src/data/alignment/text-characters.js";

const bytes = (text: string) => new TextEncoder().encode(text);
const positions = (from: string, to: string) => [...mapPositions(bytes(from), bytes(to))];

describe("positions of a text in another", () => {
  test("of a ligature are its ends, from either side", () => {
    // U+FB03 has three bytes and folds to three letters.
    expect(positions("affi!", "aﬃ!")).toEqual([0, 1, -1, -1, 4, 5]);
    expect(positions("aﬃ!", "affi!")).toEqual([0, 1, -1, -1, 4, 5]);
    expect(positions("ﬃ!", "f!")).toEqual([0, -1, -1, -1, 2]);
  });

  test("go on behind other case, accents and white space", () => {
    expect(positions("a É b", "a e\u0301b")).toEqual([0, 1, 2, -1, 5, 5, 6]);
    expect(positions("x", "  x")).toEqual([0, 3]);
  });

  test("end where the texts have nothing in common any more", () => {
    expect(positions("abcd", "abxd")).toEqual([0, 1, 2, -1, 4]);
  });
});

test("characters are those of the decoder of the platform, for every lead and second byte", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const textOf = (part: Uint8Array) => {
    try {
      return decoder.decode(part);
    } catch {
      return undefined;
    }
  };
  const wrong: string[] = [];
  for (let lead = 0xc0; lead <= 0xff; lead++) {
    for (let second = 0x70; second <= 0xff; second++) {
      const all = Uint8Array.from([lead, second, 0x80, 0x80, 0x41]);
      const characters = charactersOf(all);
      const whole = [2, 3, 4].map((size) => textOf(all.subarray(0, size)));
      const expected = whole.find((text) => text !== undefined && [...text].length === 1);
      const { start, end, text } = characters[0]!;
      const isCharacter = textOf(all.subarray(start, end)) !== undefined;
      // Marks that follow a character belong to it; none do here.
      const isRight = isCharacter ? text === expected : expected === undefined;
      const isCovered = characters.every((part, i) => part.start === (characters[i - 1]?.end ?? 0));
      const last = characters.at(-1)!;
      if (!isRight || !isCovered || last.end !== 5 || !last.text.startsWith("A"))
        wrong.push(`${lead} ${second}`);
    }
  }
  expect(wrong).toEqual([]);
});
