import { describe, expect, test } from "vitest";
import { bucketedIndices, shuffledIndices } from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";

const lengths = (size: number) => {
  const stream = new Random(5).stream("lengths");
  return Array.from({ length: size }, () => Math.ceil(8 * Math.exp(stream.normal())));
};

function batches(size: number, steps: number, batchSize: number, blockSize = 8, seed = 1) {
  const all = lengths(size);
  const random = new Random(seed);
  return Array.from({ length: steps }, (_, step) =>
    bucketedIndices(random, (index) => all[index] as number, { size, step, batchSize, blockSize }),
  );
}

describe("bucketedIndices", () => {
  test.each([
    [96, 8],
    [100, 8],
    [37, 5],
    [5, 8],
    [1, 2],
  ])("%d rows in batches of %d: every row once an epoch", (size, batchSize) => {
    // So many steps that they end with an epoch.
    const steps = size * 2;
    const seen = Array.from({ length: size }, () => 0);
    const all = batches(size, steps, batchSize).flat();
    for (const index of all) seen[index] = (seen[index] as number) + 1;
    expect(all).toHaveLength(steps * batchSize);
    expect(new Set(seen)).toEqual(new Set([2 * batchSize]));
    // And none before the others: the first epoch's full batches hold different rows.
    const full = batches(size, Math.floor(size / batchSize), batchSize).flat();
    expect(new Set(full).size).toBe(full.length);
  });

  test("a function of seed and step only, in a new order every epoch", () => {
    const size = 96;
    const all = batches(size, 24, 8);
    const again = bucketedIndices(new Random(1), (index) => lengths(size)[index] as number, {
      size,
      step: 17,
      batchSize: 8,
      blockSize: 8,
    });
    expect(again).toEqual(all[17]);
    expect(batches(size, 24, 8, 8, 2)).not.toEqual(all);
    expect(all.slice(0, 12)).not.toEqual(all.slice(12));
  });

  test("spares most of the padding, and mixes short and long batches", () => {
    const size = 4096;
    const batchSize = 16;
    const steps = size / batchSize;
    const all = lengths(size);
    const lengthOf = (index: number) => all[index] as number;
    const padding = (rows: readonly number[][]) => {
      const padded = rows.reduce(
        (sum, row) => sum + row.length * Math.max(...row.map(lengthOf)),
        0,
      );
      const real = rows.flat().reduce((sum, index) => sum + lengthOf(index), 0);
      return 1 - real / padded;
    };
    const random = new Random(1);
    const plain = Array.from({ length: steps }, (_, step) =>
      shuffledIndices(random, size, step * batchSize, batchSize),
    );
    const bucketed = batches(size, steps, batchSize, 50);
    // Of lengths with a log-normal spread of 1: 75 % of the batches was padding, 18 % is.
    expect(padding(plain)).toBeGreaterThan(0.7);
    expect(padding(bucketed)).toBeLessThan(0.2);
    const means = bucketed.map((row) => row.reduce((sum, i) => sum + lengthOf(i), 0) / batchSize);
    const rising = means.slice(1).filter((mean, i) => mean > (means[i] as number)).length;
    expect(rising / (steps - 1)).toBeGreaterThan(0.4);
    expect(rising / (steps - 1)).toBeLessThan(0.6);
  });
});
