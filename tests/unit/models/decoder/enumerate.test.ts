import { expect, test } from "vitest";
import { enumerate } from "../../../../src/models/decoder/enumerate.js";

test("six names are shown, and how many more there are", () => {
  const names = (count: number) => [..."abcdefgh"].slice(0, count);
  expect(enumerate([])).toBe("");
  expect(enumerate(names(6))).toBe("a, b, c, d, e, f");
  expect(enumerate(names(7))).toBe("a, b, c, d, e, f and 1 more");
  expect(enumerate(names(8))).toBe("a, b, c, d, e, f and 2 more");
});
