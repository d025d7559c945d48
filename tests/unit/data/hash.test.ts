import { expect, test } from "vitest";
import { hashFraction, hashHex } from "../../../src/data/hash.js";

test("hashes are fixed: splits and fingerprints on disk depend on them", () => {
  expect(["", "a", "37+85"].map(hashHex)).toMatchInlineSnapshot(`
    [
      "2ff8cf18fd964467",
      "5027c2e2cac9a845",
      "3bd90bf9774d0f59",
    ]
  `);
});

test("similar texts spread evenly and do not collide", () => {
  const texts = Array.from({ length: 20_000 }, (_, i) => `${i % 200}+${Math.floor(i / 200)}`);
  expect(new Set(texts.map(hashHex)).size).toBe(new Set(texts).size);
  const tenths = new Array<number>(10).fill(0);
  for (const text of texts) {
    const bin = Math.floor(hashFraction(text) * 10);
    tenths[bin] = (tenths[bin] ?? 0) + 1;
  }
  // 2000 expected per tenth, standard deviation 42.
  for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(200);
});
