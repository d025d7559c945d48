import { expect, test } from "vitest";
import { halfProblem } from "../../../src/backend/webgpu/halves.js";
import { fromFloat16, toFloat16 } from "../../../src/models/index.js";
import { halfCheck } from "../../../src/ops/index.js";

const { given, expected } = halfCheck();

test("the numbers of the check are rounded as binary16 is elsewhere, every finite one among them", () => {
  const elsewhere = given.map((value) => fromFloat16(toFloat16(value)));
  expect(Buffer.from(expected.buffer).equals(Buffer.from(elsewhere.buffer))).toBe(true);
  expect(new Set(expected.map(toFloat16)).size).toBe(2 * 0x7c00);
});

test("a device that rounds otherwise is found, wherever it does", () => {
  expect(halfProblem(given, expected, expected)).toBeUndefined();
  const towardsZero = given.map((value, i) => {
    const rounded = expected[i] as number;
    if (Math.abs(rounded) <= Math.abs(value)) return rounded;
    return fromFloat16(toFloat16(rounded) - 1);
  });
  expect(halfProblem(given, expected, towardsZero)).toMatch(/ came back as 0, and not as /);
  for (const i of [4, 1000, given.length - 1]) {
    const wrong = expected.map((value, at) => (at === i ? value * 1.0001 + 1e-9 : value));
    expect(halfProblem(given, expected, wrong), `${i}`).toBe(
      `${given[i]} came back as ${wrong[i]}, and not as ${expected[i]}`,
    );
  }
});

test("numbers below the smallest normal one may all be 0, but not some of them, nor a normal one", () => {
  const isSmall = (value: number) => Math.abs(value) < 2 ** -14;
  const flushed = expected.map((value) => (isSmall(value) ? 0 : value));
  expect(halfProblem(given, expected, flushed)).toBeUndefined();
  const some = expected.map((value) => (Math.abs(value) < 2 ** -20 ? 0 : value));
  expect(halfProblem(given, expected, some)).toMatch(/ came back as 0, and not as /);
  const more = flushed.map((value) => (Math.abs(value) === 2 ** -14 ? 0 : value));
  expect(halfProblem(given, expected, more)).toMatch(
    / came back as 0, and not as 0.00006103515625$/,
  );
});
