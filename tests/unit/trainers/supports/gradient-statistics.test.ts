import { describe, expect, test } from "vitest";
import { gradientStatistics } from "../../../../src/trainers/supports/gradient-statistics.js";
import { Random } from "../../../../src/tensors/index.js";

describe("gradientStatistics", () => {
  const truth = Float32Array.from([3, 4]);

  test("of one gradient, by hand", () => {
    const { biasSquared, variance, cosine } = gradientStatistics(
      [Float32Array.from([3, 0])],
      truth,
    );
    expect(biasSquared).toEqual({ value: 16 / 25, standardError: 0 });
    expect(variance).toEqual({ value: 0, standardError: 0 });
    expect(cosine.value).toBeCloseTo(0.6, 12);
  });

  test("a gradient of 0 has no direction", () => {
    expect(gradientStatistics([Float32Array.from([0, 0])], truth).cosine.value).toBe(0);
  });

  test("of three, by hand", () => {
    const gradients = [
      [3, 4],
      [3, 7],
      [6, 4],
    ].map((g) => Float32Array.from(g));
    const { biasSquared, variance } = gradientStatistics(gradients, truth);
    // Errors (0,0), (0,3), (3,0): all products of different ones are 0.
    expect(biasSquared.value).toBeCloseTo(0, 12);
    // Mean (4,5): squared distances 2, 5, 5, over 3 − 1.
    expect(variance.value).toBeCloseTo(6 / 25, 12);
  });

  test("bias and variance of draws whose own are known, within their standard errors", () => {
    const random = new Random(5);
    const bias = [0.5, -0.25];
    const draw = () =>
      Float32Array.from(
        [0, 1],
        (i) => (truth[i] as number) + (bias[i] as number) + random.normal(),
      );
    const many = Array.from({ length: 2000 }, draw);
    const { biasSquared, variance } = gradientStatistics(many, truth);
    const within = ({ value, standardError }: typeof variance, expected: number) => {
      expect(standardError).toBeGreaterThan(0);
      expect(standardError).toBeLessThan(0.01);
      expect(Math.abs(value - expected)).toBeLessThan(4 * standardError);
    };
    within(biasSquared, (0.5 ** 2 + 0.25 ** 2) / 25);
    within(variance, 2 / 25);
  });
});
