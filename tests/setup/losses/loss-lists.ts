import {
  caseFromLists,
  checkedLoss,
  evaluateCase,
  type LossCase,
  type Nested,
} from "../../../src/losses/checks/index.js";
import type { LossDefinition, LossInput } from "../../../src/losses/index.js";
import { expect } from "vitest";

type Lists = Readonly<Record<string, Nested>>;
export type Inputs = Lists | LossCase;

const isCase = (inputs: Inputs): inputs is LossCase =>
  Object.values(inputs).every((input) => typeof input === "object" && "data" in input);

/** Values of a loss, and the gradients of their sum, flattened. */
export async function evaluateLoss(definition: LossDefinition, options: object, inputs: Inputs) {
  const values = isCase(inputs) ? inputs : caseFromLists(inputs);
  const found = await evaluateCase(checkedLoss(definition, options), values);
  return {
    values: [...found.values.data],
    gradientOf: (input: LossInput) => [...(found.gradients.get(input) as Float32Array)],
  };
}

export async function lossValue(
  definition: LossDefinition,
  options: object,
  inputs: Inputs,
): Promise<number> {
  const { values } = await evaluateLoss(definition, options, inputs);
  expect(values.length).toBe(1);
  return values[0] as number;
}

export function expectClose(
  actual: readonly number[],
  expected: readonly number[],
  tolerance = 1e-6,
): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, x] of actual.entries()) {
    const error = Math.abs(x - (expected[i] as number));
    expect(error, `entry ${i}: ${x}, expected ${expected[i]}`).toBeLessThanOrEqual(tolerance);
  }
}

/** Two losses have the same values and the same gradients with respect to `trained`. */
export async function expectSameLoss(
  [a, aOptions, aInputs]: [LossDefinition, object, Inputs],
  [b, bOptions, bInputs]: [LossDefinition, object, Inputs],
  trained: readonly LossInput[],
  tolerance = 1e-6,
): Promise<void> {
  const first = await evaluateLoss(a, aOptions, aInputs);
  const second = await evaluateLoss(b, bOptions, bInputs);
  expectClose(first.values, second.values, tolerance);
  for (const input of trained) {
    expectClose(first.gradientOf(input), second.gradientOf(input), tolerance);
  }
}
