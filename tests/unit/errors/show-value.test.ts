import { expect, test } from "vitest";
import { PupilError, showValue } from "../../../src/errors/index.js";

test.each([
  ['[1,"a",null,true]', [1, "a", null, true]],
  ['{"a":{"b":1}}', { a: { b: 1 } }],
  ['"text"', "text"],
  ["undefined", undefined],
  ['"12"', 12n],
  ['"Infinity"', Number.POSITIVE_INFINITY],
  ['{"a":"NaN"}', { a: Number.NaN }],
  ['[[[["..."]]]]', [[[[[[1]]]]]]],
])("%s", (text, value) => {
  expect(showValue(value)).toBe(text);
});

test("what is long or deep is cut", () => {
  expect(showValue("x".repeat(1e6), 10)).toBe('"xxxxxx...');
  expect(showValue(Array.from({ length: 1e5 }, (_, i) => i))).toMatch(/^\[0,1,2,.*\.\.\.$|\]$/);
  expect(showValue(JSON.parse("[".repeat(20_000) + "]".repeat(20_000)))).toBe('[[[["..."]]]]');
  const keys = Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => [`k${i}`, i]));
  expect(showValue(keys).length).toBeLessThanOrEqual(120);
});

test("a message has no more of a text than can be read", () => {
  const error = new PupilError(`has ${"x".repeat(1e6)}.`, { field: "f", remedy: "y".repeat(1e6) });
  expect(error.message.length).toBeLessThan(10_000);
  expect(error.message).toMatch(
    /^f: has x+… \(1,000,005 characters\) y+… \(1,000,000 characters\)$/,
  );
});
