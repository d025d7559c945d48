/** Losses that must equal another loss in a limit or a special case. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import {
  crossEntropy,
  crossEntropyLoss,
  forwardKl,
  forwardKlLoss,
  generalizedJsd,
  generalizedJsdLoss,
  type LossDefinition,
  reverseKl,
  reverseKlLoss,
} from "../../../src/losses/index.js";
import {
  type Evaluate,
  evaluator,
  lossGradients,
  lossValues,
  randomLossValues,
} from "../../setup/losses/loss-cases.js";

const values = randomLossValues(5);
const V = values.shape[2];

/** Value and student gradient of both losses agree within `tolerance`. */
function expectEqual(
  [a, aOptions]: [LossDefinition, object],
  [b, bOptions]: [LossDefinition, object],
  tolerance: number,
  inputs = values,
): void {
  const [first, second] = [evaluator(a, aOptions), evaluator(b, bOptions)];
  expectClose(lossValues(first, inputs), lossValues(second, inputs), tolerance);
  const gradients = [lossGradients(first, inputs).student, lossGradients(second, inputs).student];
  expectClose(gradients[0] as Float32Array, gradients[1] as Float32Array, tolerance);
}

function expectClose(actual: Float32Array, expected: Float32Array, tolerance: number): void {
  for (const [i, x] of actual.entries()) {
    expect(Math.abs(x - (expected[i] as number)), `entry ${i}`).toBeLessThanOrEqual(tolerance);
  }
}

test.each([false, true])("JSD at beta 0 is the forward KL (normalized %s)", (normalized) => {
  const options = { temperature: 2 };
  const jsd = { ...options, beta: 0, normalized };
  expectEqual([generalizedJsdLoss, jsd], [forwardKlLoss, options], 0);
});

test.each([false, true])("JSD at beta 1 is the reverse KL (normalized %s)", (normalized) => {
  const options = { temperature: 2 };
  const jsd = { ...options, beta: 1, normalized };
  expectEqual([generalizedJsdLoss, jsd], [reverseKlLoss, options], 0);
});

test.each([
  ["forward KL as beta goes to 0", forwardKlLoss as LossDefinition, (distance: number) => distance],
  [
    "reverse KL as beta goes to 1",
    reverseKlLoss as LossDefinition,
    (distance: number) => 1 - distance,
  ],
])("the normalized JSD goes to the %s, the plain one to 0", (_name, limit, betaAt) => {
  const expected = lossValues(evaluator(limit, {}), values);
  const jsd = (distance: number, normalized: boolean) =>
    lossValues(evaluator(generalizedJsdLoss, { beta: betaAt(distance), normalized }), values);
  const error = (distance: number) =>
    Math.max(...jsd(distance, true).map((x, i) => Math.abs(x - (expected[i] as number))));
  expect(error(1e-3)).toBeLessThan(error(1e-2) / 3);
  expect(error(1e-4)).toBeLessThan(2e-2);
  expect(Math.max(...jsd(1e-4, false))).toBeLessThan(1e-3);
});

test("JSD at beta 0.5 is symmetric and at most ln 2", () => {
  const jsd = evaluator(generalizedJsdLoss, {});
  const { studentLogits, teacherLogits } = values;
  const swapped = { ...values, studentLogits: teacherLogits, teacherLogits: studentLogits };
  expectClose(lossValues(jsd, swapped), lossValues(jsd, values), 1e-6);
  const opposite = studentLogits.map((x) => -50 * x);
  const largest = Math.max(...lossValues(jsd, { ...values, teacherLogits: opposite }));
  expect(largest).toBeLessThanOrEqual(Math.LN2 + 1e-6);
});

test("forward KL to a one-hot teacher is the cross-entropy", () => {
  const teacherLogits = values.teacherLogits.map((_, i) => {
    return i % V === values.labels[Math.floor(i / V)] ? 0 : -1e9;
  });
  const inputs = { ...values, teacherLogits };
  expectEqual([forwardKlLoss, {}], [crossEntropyLoss, {}], 1e-6, inputs);
});

test.each([forwardKlLoss, reverseKlLoss, generalizedJsdLoss] as LossDefinition[])(
  "$name: a temperature divides both logits, and temperatureSquared multiplies by its square",
  (definition) => {
    const temperature = 2;
    const halved = {
      ...values,
      studentLogits: values.studentLogits.map((x) => x / temperature),
      teacherLogits: values.teacherLogits.map((x) => x / temperature),
    };
    const plain = lossValues(evaluator(definition, { temperature }), values);
    expectClose(plain, lossValues(evaluator(definition, {}), halved), 1e-6);
    const squared = evaluator(definition, { temperature, temperatureSquared: true });
    expectClose(
      lossValues(squared, values),
      plain.map((x) => 4 * x),
      1e-5,
    );
  },
);

test("shapes that do not match are refused", () => {
  const student = tf.zeros<tf.Rank.R3>([1, 2, 3]);
  const teacher = tf.zeros<tf.Rank.R3>([1, 2, 4]);
  const labels = tf.zeros<tf.Rank.R2>([1, 3], "int32");
  const inputs = { studentLogits: student, teacherLogits: teacher, labels };
  for (const definition of [forwardKlLoss, reverseKlLoss, generalizedJsdLoss, crossEntropyLoss]) {
    expect(() => evaluator(definition, {})(inputs), definition.name).toThrow(/has shape/);
  }
  tf.dispose([student, teacher, labels]);
});

test("the functions without options are the definitions at their defaults", () => {
  const functions: [LossDefinition, Evaluate][] = [
    [forwardKlLoss, (x) => forwardKl(x.studentLogits, x.teacherLogits)],
    [reverseKlLoss, (x) => reverseKl(x.studentLogits, x.teacherLogits)],
    [generalizedJsdLoss, (x) => generalizedJsd(x.studentLogits, x.teacherLogits)],
    [crossEntropyLoss, (x) => crossEntropy(x.studentLogits, x.labels)],
  ];
  for (const [definition, plain] of functions) {
    expect(lossValues(plain, values)).toEqual(lossValues(evaluator(definition, {}), values));
  }
});
