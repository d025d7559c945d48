/**
 * Values and gradients against PyTorch in float64. The fixture is made by
 * scripts/fixtures/make-loss-fixtures.py, which writes the formulas on its own; its inputs are
 * asymmetric and its temperatures differ from 1, so a swapped direction or a wrong factor shows.
 */
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, test } from "vitest";
import { findLoss, lossDefinitions } from "../../src/losses/index.js";
import { evaluator, lossGradients, lossValues, type LossValues } from "../setup/loss-cases.js";

interface Fixture {
  readonly shape: [number, number, number];
  readonly studentLogits: number[];
  readonly teacherLogits: number[];
  readonly labels: number[];
  /** Weight of every token in the sum whose gradient is recorded. */
  readonly tokenWeights: number[];
  readonly cases: { loss: string; config: object; value: number[]; gradient: number[] }[];
}

const relativeBound = 2e-4;
const fixture = JSON.parse(
  readFileSync(new URL("./fixtures/losses.json", import.meta.url), "utf8"),
) as Fixture;
const { shape } = fixture;
const values: LossValues = {
  shape,
  studentLogits: Float32Array.from(fixture.studentLogits),
  teacherLogits: Float32Array.from(fixture.teacherLogits),
  labels: Int32Array.from(fixture.labels),
};

const cases = fixture.cases.map((c) => [`${c.loss} ${JSON.stringify(c.config)}`, c] as const);

describe.each(cases)("%s", (_title, { loss, config, value, gradient }) => {
  const evaluate = evaluator(findLoss(loss), config);

  test("value", () => {
    expectParity(lossValues(evaluate, values), value);
  });

  test("gradient", () => {
    const weightedSum = (perToken: tf.Tensor2D) =>
      perToken.mul(tf.tensor2d(fixture.tokenWeights, [shape[0], shape[1]])).sum<tf.Scalar>();
    expectParity(lossGradients(evaluate, values, weightedSum).student, gradient);
  });
});

test("every loss has at least two cases, one at a temperature other than 1 if it has one", () => {
  for (const { name, config } of lossDefinitions) {
    const configs = fixture.cases.filter((c) => c.loss === name).map((c) => c.config);
    expect(configs.length, name).toBeGreaterThanOrEqual(2);
    if ("temperature" in config.shape) {
      expect(configs.some((c) => "temperature" in c && c.temperature !== 1)).toBe(true);
    }
  }
});

/** Within the bound of each entry, or of a hundredth of the largest: an entry may cancel to 0. */
function expectParity(actual: Float32Array, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  const floor = 1e-2 * Math.max(...expected.map(Math.abs));
  for (const [i, e] of expected.entries()) {
    const error = Math.abs((actual[i] as number) - e) / Math.max(Math.abs(e), floor);
    expect(error, `entry ${i}: ${actual[i]}, PyTorch ${e}`).toBeLessThanOrEqual(relativeBound);
  }
}
