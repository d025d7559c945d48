import { expect, test } from "vitest";
import { learningRateAt, scheduleSchema } from "../../../src/optim/index.js";

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
