import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import {
  advanceLossStates,
  advanceTaid,
  evaluateTerm,
  initialLossStates,
  lossTerm,
  forwardKlLoss,
  type StateNumbers,
  taidLoss,
  type TaidState,
} from "../../../../src/losses/index.js";

const schedule = { start: 0.4, end: 1, rate: 0.1, momentum: 0.9 };
const initial: TaidState = { interpolation: 0.4, improvement: 0, previousLoss: null };

test("the first step only remembers its loss", () => {
  const next = advanceTaid(initial, { loss: 2, progress: 0.5 }, schedule);
  expect(next).toEqual({ ...initial, previousLoss: 2 });
});

test("an improving loss runs ahead of the straight line, by the published formula", () => {
  const state = { interpolation: 0.5, improvement: 0.2, previousLoss: 4 };
  const next = advanceTaid(state, { loss: 3, progress: 0.01 }, schedule);
  const smoothed = 0.9 * 0.2 + 0.1 * 0.25;
  expect(next.improvement).toBeCloseTo(smoothed, 12);
  expect(next.interpolation).toBeCloseTo(0.5 + (0.1 / (1 + Math.exp(-smoothed))) * 0.5, 12);
  expect(next.previousLoss).toBe(3);
});

test("it is never behind the line, never goes back, and ends at the end", () => {
  let state: TaidState = { ...initial, previousLoss: 1 };
  let last = 0;
  for (let step = 1; step <= 50; step++) {
    // A loss that gets worse and worse.
    state = advanceTaid(state, { loss: 1 + step, progress: step / 50 }, { ...schedule, end: 0.9 });
    expect(state.interpolation).toBeGreaterThanOrEqual(0.4 + 0.5 * (step / 50) - 1e-12);
    expect(state.interpolation).toBeGreaterThanOrEqual(last);
    last = state.interpolation;
  }
  expect(last).toBe(0.9);
});

test("a loss of 0 does not make it NaN", () => {
  const state = advanceTaid({ ...initial, previousLoss: 0 }, { loss: 0, progress: 0.1 }, schedule);
  expect(Object.values(state).every(Number.isFinite)).toBe(true);
});

test("terms keep their own state; losses without one have none", () => {
  const terms = [
    lossTerm(taidLoss, {}),
    lossTerm(forwardKlLoss, {}),
    lossTerm(taidLoss, { start: 0.1 }),
  ];
  const first = initialLossStates(terms);
  expect(first.map((state) => state?.["interpolation"])).toEqual([0.4, undefined, 0.1]);
  const next = advanceLossStates(terms, first, [5, 6, 7], 0.5);
  expect(next.map((state) => state?.["previousLoss"])).toEqual([5, undefined, 7]);
  expect(first[0]?.["previousLoss"]).toBeNull();
});

describe("a share that is given as a tensor", () => {
  const valueAt = (interpolation: number, numbers?: Readonly<Record<string, number>>) =>
    tf.tidy(() => {
      const studentLogits = tf.tensor3d([[[0, 1, -2]]]);
      const teacherLogits = tf.tensor3d([[[3, 0.5, 1]]]);
      const scalars = Object.entries(numbers ?? {}).map(([name, n]) => [name, tf.scalar(n)]);
      const given = numbers && (Object.fromEntries(scalars) as StateNumbers);
      const state = { ...initial, interpolation };
      const inputs = { studentLogits, teacherLogits };
      return evaluateTerm(lossTerm(taidLoss, {}), inputs, state, given).dataSync()[0] as number;
    });

  test.each([0, 0.3, 1])("is the share of its state, %f", (interpolation) => {
    const numbers = taidLoss.state?.numbers?.({ ...initial, interpolation });
    expect(numbers).toEqual({ student: 1 - interpolation, teacher: interpolation });
    expect(valueAt(interpolation, numbers)).toBe(valueAt(interpolation));
  });

  test("is what counts between the ends", () => {
    expect(valueAt(0.3, { student: 0.25, teacher: 0.75 })).toBe(valueAt(0.75));
    expect(valueAt(0.3)).not.toBe(valueAt(0.75));
  });
});
