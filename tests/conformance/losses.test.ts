import { existsSync, readdirSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  describeLoss,
  type LossDefinition,
  type LossInputs,
  lossDefinitions,
  lossesByKind,
  lossTermSchema,
  maskedSum,
} from "../../src/losses/index.js";
import { Random } from "../../src/tensors/index.js";
import {
  type Evaluate,
  evaluator,
  lossGradients,
  lossValues,
  type LossValues,
  randomLossValues,
} from "../setup/loss-cases.js";

const definitions: readonly LossDefinition[] = lossDefinitions;
const cases = definitions.flatMap((definition) =>
  definition.examples.map((example) => {
    const title = `${definition.name} ${JSON.stringify(example)}`;
    return [title, definition, evaluator(definition, example)] as const;
  }),
);

describe("the list of losses", () => {
  test("has one entry per file of its kind's folder", () => {
    for (const [kind, losses] of Object.entries(lossesByKind)) {
      const folder = new URL(`../../src/losses/${kind}`, import.meta.url);
      const files = existsSync(folder) ? readdirSync(folder) : [];
      const names = files.map((file) => file.replace(/\.ts$/, "")).filter((n) => n !== "index");
      expect(losses.map(({ name }) => name).sort(), kind).toEqual(names.sort());
    }
  });

  test.each(definitions)("$name can be configured by its name alone", (definition) => {
    const term = lossTermSchema.parse({ type: definition.name });
    expect(term).toEqual({ type: definition.name, weight: 1, ...definition.config.parse({}) });
    const unknown = lossTermSchema.safeParse({ type: definition.name, temprature: 2 });
    expect(z.prettifyError(unknown.error as z.ZodError)).toContain("temprature");
  });

  test.each(definitions)("$name describes itself, its options and its examples", (definition) => {
    const { summary, formula, reference, fields } = describeLoss(definition);
    for (const text of [summary, formula, reference]) expect(text).not.toBe("");
    for (const field of fields) {
      expect(field.description, field.name).toMatch(/\.$/);
      expect(field.default, field.name).toBeDefined();
    }
    expect(definition.examples.length).toBeGreaterThanOrEqual(2);
    if ("temperature" in definition.config.shape) {
      const temperatures = definition.examples.map((e) => definition.config.parse(e).temperature);
      expect(temperatures.some((temperature) => temperature !== 1)).toBe(true);
    }
  });
});

describe.each(cases)("%s", (_title, definition, evaluate) => {
  const values = randomLossValues(1);
  const [B, T, V] = values.shape;

  test("gives one finite value per token and allocates exactly that tensor", () => {
    const inputs = tf.tidy(() => ({
      studentLogits: tf.tensor3d(values.studentLogits, values.shape),
      teacherLogits: tf.tensor3d(values.teacherLogits, values.shape),
      labels: tf.tensor2d(values.labels, [B, T], "int32"),
    }));
    const before = tf.memory();
    const result = evaluate(inputs);
    expect(tf.memory().numTensors - before.numTensors).toBe(1);
    expect(tf.memory().numDataBuffers - before.numDataBuffers).toBe(1);
    expect(result.shape).toEqual([B, T]);
    expect(result.dtype).toBe("float32");
    expect([...result.dataSync()].every(Number.isFinite)).toBe(true);
    tf.dispose([result, inputs]);
  });

  test("reads only the inputs that it declares", () => {
    const read = new Set<string | symbol>();
    const tensors = tf.tidy(() => ({
      studentLogits: tf.tensor3d(values.studentLogits, values.shape),
      teacherLogits: tf.tensor3d(values.teacherLogits, values.shape),
      labels: tf.tensor2d(values.labels, [B, T], "int32"),
    }));
    const watched = new Proxy(tensors as unknown as LossInputs, {
      get: (target, key) => {
        read.add(key);
        return target[key as keyof LossInputs];
      },
    });
    tf.dispose(evaluate(watched));
    expect([...read].sort()).toEqual([...definition.needs].sort());
    tf.dispose(tensors);
  });

  test("the gradient agrees with central differences", () => {
    const { student } = lossGradients(evaluate, values);
    const expected = centralDifferences(evaluate, values, 1e-2);
    for (const [i, gradient] of student.entries()) {
      const scale = Math.max(Math.abs(expected[i] as number), 1e-1);
      const error = Math.abs(gradient - (expected[i] as number)) / scale;
      expect(error, `logit ${i}`).toBeLessThan(2e-3);
    }
  });

  test("no gradient flows into the teacher", () => {
    const { teacher } = lossGradients(evaluate, values);
    expect(teacher.every((gradient) => gradient === 0)).toBe(true);
  });

  // Registered only where declared, so that nothing is reported as skipped.
  const { nonNegative, zeroWhenStudentEqualsTeacher, shiftInvariant } = definition.properties;
  const declared = (property: boolean | undefined, title: string, check: () => void) => {
    if (property) test(title, check);
  };

  declared(nonNegative, "is never negative", () => {
    for (let seed = 0; seed < 20; seed++) {
      const least = Math.min(...lossValues(evaluate, randomLossValues(seed)));
      // Rounding of a sum of terms of both signs.
      expect(least, `seed ${seed}`).toBeGreaterThanOrEqual(-1e-6);
    }
  });

  declared(
    zeroWhenStudentEqualsTeacher,
    "value and gradient are 0 where the student equals the teacher",
    () => {
      const same = { ...values, studentLogits: values.teacherLogits };
      for (const value of lossValues(evaluate, same)) expect(Math.abs(value)).toBeLessThan(1e-6);
      const { student } = lossGradients(evaluate, same);
      for (const gradient of student) expect(Math.abs(gradient)).toBeLessThan(1e-6);
    },
  );

  declared(shiftInvariant, "adding a constant to the logits of a position changes nothing", () => {
    const shifted = {
      ...values,
      studentLogits: values.studentLogits.map((x, i) => x + Math.floor(i / V)),
      teacherLogits: values.teacherLogits.map((x, i) => x - 2 * Math.floor(i / V)),
    };
    expectClose(lossValues(evaluate, shifted), lossValues(evaluate, values), 1e-5);
    expectClose(
      lossGradients(evaluate, shifted).student,
      lossGradients(evaluate, values).student,
      1e-5,
    );
  });

  test("rows of a batch do not see each other", () => {
    const swapped = swapRows(values);
    const half = B * T * V * 0.5;
    const original = lossValues(evaluate, values);
    const rotated = [...original.slice(T), ...original.slice(0, T)];
    expect([...lossValues(evaluate, swapped)]).toEqual(rotated);
    const gradient = lossGradients(evaluate, values).student;
    const rotatedGradient = [...gradient.slice(half), ...gradient.slice(0, half)];
    expect([...lossGradients(evaluate, swapped).student]).toEqual(rotatedGradient);
  });

  test("renaming the tokens changes no value and renames the gradient", () => {
    const order = new Random(9).permutation(V);
    const renamed = renameTokens(values, order);
    expectClose(lossValues(evaluate, renamed), lossValues(evaluate, values), 1e-5);
    const gradient = lossGradients(evaluate, values).student;
    const expected = renameEntries(gradient, order);
    expectClose(lossGradients(evaluate, renamed).student, expected, 1e-5);
  });

  test("a masked position contributes exactly nothing", () => {
    const maskValues = [1, 0, 1, 1, 1, 0];
    const masked = (perToken: tf.Tensor2D) => maskedSum(perToken, tf.tensor2d(maskValues, [B, T]));
    const spoilt = spoilPositions(values, maskValues);
    const total = (v: LossValues) =>
      tf.tidy(() => masked(tf.tensor2d(lossValues(evaluate, v), [B, T])).dataSync()[0]);
    expect(total(spoilt)).toBe(total(values));
    const gradient = lossGradients(evaluate, values, masked).student;
    const spoiltGradient = lossGradients(evaluate, spoilt, masked).student;
    for (const [i, g] of spoiltGradient.entries()) {
      // Not toBe: 0 and −0 are the same nothing.
      const wanted = maskValues[Math.floor(i / V)] === 0 ? 0 : gradient[i];
      expect(g === wanted, `gradient ${i}: ${g}, expected ${wanted}`).toBe(true);
    }
  });

  test.each(extremes())("value and gradient are finite for %s", (_name, extreme) => {
    expect([...lossValues(evaluate, extreme)].every(Number.isFinite)).toBe(true);
    expect([...lossGradients(evaluate, extreme).student].every(Number.isFinite)).toBe(true);
  });
});

/**
 * (f(x + h) − f(x − h)) / 2h for every student logit, all in one evaluation: the batch holds a copy
 * of the inputs for every moved logit.
 */
function centralDifferences(evaluate: Evaluate, values: LossValues, step: number): number[] {
  const { shape, studentLogits, teacherLogits, labels } = values;
  const [B, T, V] = shape;
  const size = studentLogits.length;
  const repeat = <A extends Float32Array | Int32Array>(array: A): number[] =>
    Array.from({ length: 2 * size }, () => [...array]).flat();
  const moved = Float32Array.from(repeat(studentLogits));
  for (let i = 0; i < size; i++) {
    for (const [sign, copy] of [
      [1, i],
      [-1, size + i],
    ] as const) {
      moved[copy * size + i] = (studentLogits[i] as number) + sign * step;
    }
  }
  const result = lossValues(evaluate, {
    shape: [2 * size * B, T, V],
    studentLogits: moved,
    teacherLogits: Float32Array.from(repeat(teacherLogits)),
    labels: Int32Array.from(repeat(labels)),
  });
  // Only the moved position of each copy changes.
  const valueAt = (copy: number, i: number) => result[copy * B * T + Math.floor(i / V)] as number;
  return Array.from({ length: size }, (_, i) => {
    return (valueAt(i, i) - valueAt(size + i, i)) / (2 * step);
  });
}

function extremes(): [name: string, values: LossValues][] {
  const values = randomLossValues(2);
  const V = values.shape[2];
  const huge = values.studentLogits.map((x) => 1e4 * Math.sign(x));
  const ruledOut = (logits: Float32Array, every: number) =>
    logits.map((x, i) => (i % every === 0 ? -1e9 : x));
  const oneHot = values.teacherLogits.map((_, i) => {
    return i % V === values.labels[Math.floor(i / V)] ? 0 : -1e9;
  });
  const studentLogits = ruledOut(values.studentLogits, 2);
  const teacherLogits = ruledOut(values.teacherLogits, 2);
  const otherToken = values.studentLogits.map((_, i) => (i % V === 0 ? 0 : -1e9));
  return [
    ["a student of ±1e4", { ...values, studentLogits: huge }],
    ["a teacher of ±1e4", { ...values, teacherLogits: huge }],
    ["tokens that the student rules out", { ...values, studentLogits }],
    ["tokens that the teacher rules out", { ...values, teacherLogits }],
    ["tokens that both rule out", { ...values, studentLogits, teacherLogits }],
    ["a one-hot teacher", { ...values, teacherLogits: oneHot }],
    ["one-hot opposites", { ...values, studentLogits: otherToken, teacherLogits: oneHot }],
    ["a vocabulary of one token", randomLossValues(3, [2, 3, 1])],
  ];
}

function swapRows(values: LossValues): LossValues {
  const swap = <A extends Float32Array | Int32Array>(array: A): A => {
    const half = array.length / 2;
    const swapped = array.slice();
    swapped.set(array.subarray(half), 0);
    swapped.set(array.subarray(0, half), half);
    return swapped as A;
  };
  const { shape, studentLogits, teacherLogits, labels } = values;
  return {
    shape,
    studentLogits: swap(studentLogits),
    teacherLogits: swap(teacherLogits),
    labels: swap(labels),
  };
}

/** Token v becomes token order[v]. */
function renameTokens(values: LossValues, order: Int32Array): LossValues {
  return {
    shape: values.shape,
    studentLogits: renameEntries(values.studentLogits, order),
    teacherLogits: renameEntries(values.teacherLogits, order),
    labels: values.labels.map((label) => order[label] as number),
  };
}

function renameEntries(array: Float32Array, order: Int32Array): Float32Array {
  const V = order.length;
  const renamed = new Float32Array(array.length);
  for (const [i, x] of array.entries()) renamed[i - (i % V) + (order[i % V] as number)] = x;
  return renamed;
}

/** Puts other logits and labels where the mask is 0. */
function spoilPositions(values: LossValues, mask: readonly number[]): LossValues {
  const V = values.shape[2];
  const spoil = (array: Float32Array) =>
    array.map((x, i) => (mask[Math.floor(i / V)] === 0 ? 50 - 20 * (i % V) : x));
  return {
    shape: values.shape,
    studentLogits: spoil(values.studentLogits),
    teacherLogits: spoil(values.teacherLogits),
    labels: values.labels.map((label, i) => (mask[i] === 0 ? (label + 1) % V : label)),
  };
}

function expectClose(actual: Float32Array, expected: Float32Array, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, x] of actual.entries()) {
    expect(Math.abs(x - (expected[i] as number)), `entry ${i}`).toBeLessThan(tolerance);
  }
}
