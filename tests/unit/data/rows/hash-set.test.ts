import { expect, test } from "vitest";
import { hashSet } from "../../../../src/data/rows/hash-set.js";

test("a hash is new once, also 0, also where others stand in its place, also after it has grown", () => {
  const set = hashSet();
  expect([0, 0, 5, 5].map((hash) => set.add(hash))).toEqual([true, false, true, false]);
  // All of them would stand in one place of a table of 1024.
  const hashes = Array.from({ length: 3000 }, (_, i) => 1024 * (i + 1) + 7);
  expect(hashes.map((hash) => set.add(hash)).every((isNew) => isNew)).toBe(true);
  expect([0, 5, ...hashes].some((hash) => set.add(hash))).toBe(false);
  expect(set.add(2 ** 53 - 1)).toBe(true);
  expect(set.add(2 ** 53 - 1)).toBe(false);
});
