import { describe, expect, test } from "vitest";
import { looksAt } from "../../../src/rollouts/looks.js";

/** Where the host looks until `needed` tokens are there. */
function looksUntil(needed: number, most: number, writer?: object): number[] {
  const looks = looksAt(writer, most);
  const at: number[] = [];
  let done = 0;
  while (done < needed) {
    done += looks.next(done, most - done);
    at.push(done);
  }
  looks.end(needed);
  return at;
}

describe("looks at tokens that are sampled ahead", () => {
  test("are one in 32 tokens while nothing is known", () => {
    expect(looksUntil(100, 100)).toEqual([32, 64, 100]);
    expect(looksUntil(5, 100)).toEqual([32]);
    expect(looksUntil(16, 16)).toEqual([16]);
  });

  test("are one where the last completions of the same writer ended", () => {
    const writer = {};
    looksUntil(13, 100, writer);
    expect(looksUntil(11, 100, writer)).toEqual([16]);
    expect(looksUntil(16, 100, writer)).toEqual([16]);
    // More than the last time: soon again, and then later.
    expect(looksUntil(70, 100, writer)).toEqual([16, 24, 40, 72]);
    expect(looksUntil(70, 100, writer)).toEqual([64, 72]);
    expect(looksUntil(9, 100, {})).toEqual([32]);
    // Those of another length are others.
    expect(looksUntil(9, 48, writer)).toEqual([32]);
  });

  test("are at most one in 8 tokens, and never for the last few alone", () => {
    for (let most = 1; most <= 80; most++) {
      for (let before = 1; before <= most; before += 3) {
        const writer = {};
        looksUntil(before, most, writer);
        const looks = looksUntil(most, most, writer);
        expect(looks.at(-1)).toBe(most);
        expect(looks.length, `${most}, ${before} before`).toBeLessThanOrEqual(
          Math.max(1, most / 8),
        );
      }
    }
  });
});
