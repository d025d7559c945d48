import { describe, expect, test } from "vitest";
import { shuffledIndex, shuffledIndices } from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";

describe("shuffledIndex", () => {
  test.each([1, 2, 3, 5, 16, 17, 1000])("every epoch of %i is a permutation", (count) => {
    const random = new Random(3);
    const expected = Array.from({ length: count }, (_, i) => i);
    for (const epoch of [0, 1, 7]) {
      const order = shuffledIndices(random, count, epoch * count, count);
      expect([...order].sort((a, b) => a - b)).toEqual(expected);
    }
  });

  test("epochs and seeds have different orders; a position has one index", () => {
    const order = shuffledIndices(new Random(3), 100, 0, 250);
    expect(order.slice(100, 200)).not.toEqual(order.slice(0, 100));
    expect(shuffledIndices(new Random(4), 100, 0, 100)).not.toEqual(order.slice(0, 100));
    const used = new Random(3);
    used.uniform();
    expect(shuffledIndex(used, 100, 150)).toBe(order[150]);
  });

  test.each([2, 3, 5, 8])("each of %i items is equally likely at each position", (count) => {
    const trials = 3000;
    const counts = Array.from({ length: count }, () => new Array<number>(count).fill(0));
    for (let seed = 0; seed < trials; seed++) {
      for (const [position, index] of shuffledIndices(
        new Random(seed),
        count,
        0,
        count,
      ).entries()) {
        const row = counts[position] as number[];
        row[index] = (row[index] as number) + 1;
      }
    }
    const expected = trials / count;
    // Five standard deviations.
    const bound = 5 * Math.sqrt(expected * (1 - 1 / count));
    for (const found of counts.flat()) expect(Math.abs(found - expected)).toBeLessThan(bound);
  });

  test("neighbours are not kept together", () => {
    const count = 1000;
    const order = shuffledIndices(new Random(5), count, 0, count);
    const together = order.filter((index, i) => Math.abs(index - (order[i + 1] ?? -9)) === 1);
    // About 2 are expected by chance.
    expect(together.length).toBeLessThan(12);
  });

  test("refuses what is no position", () => {
    expect(() => shuffledIndex(new Random(1), 0, 0)).toThrow("count above 0");
    expect(() => shuffledIndex(new Random(1), 3, -1)).toThrow("position");
  });
});
