import { describe, expect, test } from "vitest";
import { packSequences, type TokenSequence } from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";

/** Sequences of so many positions, one less than their ids. */
const ofSizes = (...sizes: number[]): TokenSequence[] =>
  sizes.map((size) => ({ ids: Array.from({ length: size + 1 }, () => 1), completionStart: 1 }));

describe("packing", () => {
  test("needs as few rows as putting the longest first finds, and evens them out", () => {
    expect(packSequences(ofSizes(2, 5, 3, 4, 1), 6)).toEqual({
      numRows: 3,
      longestRow: 5,
      // By size: 5, 4 and 3 open rows, 2 goes beside the 3, 1 beside the 4.
      places: [
        { row: 2, start: 3 },
        { row: 0, start: 0 },
        { row: 2, start: 0 },
        { row: 1, start: 0 },
        { row: 1, start: 4 },
      ],
      paddingShare: 0,
    });
  });

  test("fills rows where evening them out would make them longer than they may be", () => {
    // 3 and 3 in one row, three times 2 in the other; the emptiest row first would make 5 and 7.
    expect(packSequences(ofSizes(3, 3, 2, 2, 2), 6)).toMatchObject({
      numRows: 2,
      longestRow: 6,
      paddingShare: 0,
    });
  });

  test("keeps the order of equal ones, and needs no more width than the fullest row", () => {
    const { places, longestRow, paddingShare } = packSequences(ofSizes(2, 2, 2), 5);
    expect(places).toEqual([
      { row: 0, start: 0 },
      { row: 0, start: 2 },
      { row: 1, start: 0 },
    ]);
    expect(longestRow).toBe(4);
    expect(paddingShare).toBe(1 - 6 / 8);
  });

  test("gives every position to one sequence, whatever the lengths", () => {
    const random = new Random(4);
    for (let round = 0; round < 50; round++) {
      const sizes = Array.from({ length: 1 + random.integer(30) }, () => random.integer(20));
      const length = 19 + random.integer(10);
      const { places, numRows, longestRow, paddingShare } = packSequences(
        ofSizes(...sizes),
        length,
      );
      const taken = new Set<number>();
      for (const [i, { row, start }] of places.entries()) {
        for (let t = 0; t < (sizes[i] as number); t++) taken.add(row * length + start + t);
        expect(start + (sizes[i] as number)).toBeLessThanOrEqual(longestRow);
        expect(row).toBeLessThan(numRows);
      }
      expect(longestRow).toBeLessThanOrEqual(length);
      const total = sizes.reduce((a, b) => a + b);
      expect(taken.size).toBe(total);
      // Two rows that are both at most half full would have become one.
      expect(numRows).toBeLessThanOrEqual(Math.floor((2 * total) / length) + 1);
      if (total > 0) expect(1 - total / (numRows * longestRow)).toBeCloseTo(paddingShare, 12);
    }
  });

  test("of nothing, and of sequences without a position, is no padding", () => {
    expect(packSequences([], 4)).toMatchObject({ numRows: 0, paddingShare: 0 });
    expect(packSequences(ofSizes(0, 0), 4)).toMatchObject({ numRows: 1, paddingShare: 0 });
  });

  test("names a sequence that is too long", () => {
    const [short, long] = ofSizes(2, 9) as [TokenSequence, TokenSequence];
    expect(() => packSequences([short, long], 8)).toThrow(
      "sequence 1: 10 tokens do not fit into a packed row of 8 positions",
    );
    expect(() => packSequences([{ ...long, id: "train.jsonl:12" }], 8)).toThrow("train.jsonl:12");
  });
});
