import { expect, test } from "vitest";
import {
  completeSchedule,
  defaultSchedule,
  learningRateAt,
  scheduleSchema,
} from "../../../src/optim/index.js";

const schedule = (options: object) => scheduleSchema.parse({ learningRate: 1, ...options });

test("warm-up is linear and reaches the peak", () => {
  const options = schedule({ warmupSteps: 3, schedule: "constant" });
  expect([0, 1, 2, 3, 4].map((step) => learningRateAt(step, 10, options))).toEqual([
    0.25, 0.5, 0.75, 1, 1,
  ]);
});

test.each(["cosine", "linear"] as const)(
  "%s decays from the peak to the final fraction",
  (name) => {
    const options = schedule({ schedule: name, finalLearningRateFraction: 0.1 });
    const rates = Array.from({ length: 11 }, (_, step) => learningRateAt(step, 11, options));
    expect(rates[0]).toBe(1);
    expect(rates[5]).toBeCloseTo(0.55, 12);
    expect(rates[10]).toBeCloseTo(0.1, 12);
    expect([...rates].sort((a, b) => b - a)).toEqual(rates);
  },
);

test("a run of one step is at the peak", () => {
  expect(learningRateAt(0, 1, schedule({}))).toBe(1);
});

test("a decay after a warm-up starts at the peak and ends on the last step", () => {
  const options = schedule({ warmupSteps: 2, schedule: "linear", finalLearningRateFraction: 0.2 });
  const rates = Array.from({ length: 9 }, (_, step) => learningRateAt(step, 7, options));
  const expected = [1 / 3, 2 / 3, 1, 0.8, 0.6, 0.4, 0.2, 0.2, 0.2];
  for (const [step, rate] of rates.entries())
    expect(rate).toBeCloseTo(expected[step] as number, 12);
});

test("a cosine is one at every step, at the scale of the learning rate", () => {
  const options = schedule({ learningRate: 4, finalLearningRateFraction: 0 });
  expect(learningRateAt(1, 5, options)).toBeCloseTo(4 * 0.5 * (1 + Math.SQRT1_2), 12);
  expect(learningRateAt(4, 5, options)).toBeCloseTo(0, 12);
});

test("where the warm-up takes the whole run, what is left is the peak", () => {
  const options = schedule({ warmupSteps: 3 });
  expect([2, 3].map((step) => learningRateAt(step, 4, options))).toEqual([0.75, 1]);
  expect(learningRateAt(4, 4, options)).toBeCloseTo(0.1, 12);
});

test("defaults and bounds", () => {
  expect(scheduleSchema.parse({})).toEqual({
    ...{ learningRate: 1e-3, schedule: "cosine", warmupSteps: 0, finalLearningRateFraction: 0.1 },
  });
  for (const wrong of [
    { learningRate: 0 },
    { warmupSteps: -1 },
    { warmupSteps: 0.5 },
    { finalLearningRateFraction: -0.1 },
    { finalLearningRateFraction: 1.1 },
  ]) {
    expect(() => scheduleSchema.parse(wrong), JSON.stringify(wrong)).toThrow();
  }
  for (const finalLearningRateFraction of [0, 1]) {
    expect(scheduleSchema.parse({ finalLearningRateFraction })).toBeDefined();
  }
});

test("a schedule given in part is completed; a learning rate that is none is refused", () => {
  expect(completeSchedule()).toEqual(defaultSchedule);
  expect(completeSchedule({ warmupSteps: 3 })).toEqual({ ...defaultSchedule, warmupSteps: 3 });
  expect(completeSchedule({ learningRate: 0.5 }).learningRate).toBe(0.5);
  for (const learningRate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => completeSchedule({ learningRate })).toThrow(
      new RegExp(
        `^schedule: learningRate is ${learningRate}[,:] expected (more than 0|.*number)\\.$`,
      ),
    );
  }
});
