import { expect, test } from "vitest";
import { lossTermSchema, weightAt, weightScheduleSchema } from "../../../src/losses/index.js";

test("a number stays as it is", () => {
  expect([0, 0.3, 1].map((progress) => weightAt(0.7, progress))).toEqual([0.7, 0.7, 0.7]);
});

test("a linear schedule goes from one weight to the other between begin and end", () => {
  const weight = weightScheduleSchema.parse({ from: 1, to: 0.2, begin: 0.25, end: 0.75 });
  const at = [0, 0.25, 0.5, 0.75, 1].map((progress) => weightAt(weight, progress));
  expect(at[0]).toBe(1);
  expect(at[1]).toBe(1);
  expect(at[2]).toBeCloseTo(0.6, 12);
  expect(at[3]).toBeCloseTo(0.2, 12);
  expect(at[4]).toBeCloseTo(0.2, 12);
});

test("a cosine schedule is slow at both ends", () => {
  const weight = weightScheduleSchema.parse({ from: 0, to: 1, shape: "cosine" });
  expect(weightAt(weight, 0)).toBe(0);
  expect(weightAt(weight, 0.25)).toBeCloseTo((1 - Math.SQRT1_2) / 2, 12);
  expect(weightAt(weight, 0.5)).toBeCloseTo(0.5, 12);
  expect(weightAt(weight, 1)).toBe(1);
});

test("begin and end at one point make a jump", () => {
  const weight = weightScheduleSchema.parse({ from: 0, to: 1, begin: 0.5, end: 0.5 });
  expect([0.49, 0.5, 0.51].map((progress) => weightAt(weight, progress))).toEqual([0, 1, 1]);
});

test("a config may give a schedule, and wrong ones are refused", () => {
  const term = { type: "reverse-kl", weight: { from: 0, to: 1 } };
  expect(lossTermSchema.parse(term).weight).toEqual({
    from: 0,
    to: 1,
    shape: "linear",
    begin: 0,
    end: 1,
  });
  const refused = (weight: unknown) => lossTermSchema.safeParse({ ...term, weight }).success;
  expect(refused({ from: 0, to: 1, begin: 0.8, end: 0.2 })).toBe(false);
  expect(refused({ from: -1, to: 1 })).toBe(false);
  expect(refused({ from: 1, too: 1 })).toBe(false);
});
