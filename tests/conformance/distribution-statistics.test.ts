/** Statistics for the log against float64 sums, on the composed kernel and on the engine's. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { distributionStatistics, distributionSums } from "../../src/ops/index.js";
import { Random } from "../../src/tensors/index.js";
import { useCpu } from "../setup/backends/backend.js";
import { engineVariants, useWasmEngine } from "../setup/backends/wasm-engine.js";

function logSoftmax(logits: readonly number[]): number[] {
  const top = Math.max(...logits);
  const total = Math.log(logits.reduce((sum, x) => sum + Math.exp(x - top), 0));
  return logits.map((x) => x - top - total);
}

function expected(student: readonly number[], teacher: readonly number[]): number[] {
  const [s, t] = [logSoftmax(student), logSoftmax(teacher)];
  const sum = (f: (logS: number, logT: number) => number) =>
    s.reduce((total, logS, i) => total + f(logS, t[i] as number), 0);
  const top = (x: readonly number[]) => x.indexOf(Math.max(...x));
  return [
    sum((a, b) => Math.exp(b) * (b - a)),
    sum((a, b) => Math.exp(a) * (a - b)),
    sum((a) => -Math.exp(a) * a),
    sum((_, b) => -Math.exp(b) * b),
    sum((a, b) => 0.5 * Math.abs(Math.exp(a) - Math.exp(b))),
    top(student) === top(teacher) ? 1 : 0,
  ];
}

function randomLogits(rows: number, V: number, seed: number): number[][] {
  const random = new Random(seed);
  return Array.from({ length: rows }, () =>
    Array.from({ length: V }, () => Math.fround(3 * random.normal())),
  );
}

function checkAll(): void {
  for (const V of [1, 2, 7, 64, 301]) {
    const student = randomLogits(6, V, V);
    const teacher = randomLogits(6, V, V + 1);
    student[0] = student[0]?.map((_, i) => (i === 0 ? 0 : -1e9)) as number[];
    teacher[1] = [...(student[1] as number[])];
    student[2] = student[2]?.map((x) => x + 1e4) as number[];
    const values = tf.tidy(() => {
      return distributionStatistics(tf.tensor2d(student), tf.tensor2d(teacher)).arraySync();
    });
    for (const [row, found] of values.entries()) {
      // Logits of 1e4 are rounded to 1e-3 before any of this.
      const rounded = (student[row] as number[]).map(Math.fround);
      const wanted = expected(rounded, teacher[row] as number[]);
      for (const [column, value] of found.entries()) {
        const want = wanted[column] as number;
        const close = Math.abs(value - want) <= 2e-5 * Math.max(1, Math.abs(want));
        expect(close, `V ${V}, row ${row}, column ${column}: ${value}, not ${want}`).toBe(true);
      }
    }
  }
}

/** Those of the rows that are asked for, of which −1 is none, whatever is in the first. */
function checkSums(): void {
  const student = randomLogits(4, 9, 1);
  const teacher = randomLogits(4, 9, 2);
  student[0] = student[0]?.map(() => -Infinity) as number[];
  const sumsOf = (rows: number[]) =>
    tf.tidy(() => {
      const at = tf.tensor1d(rows, "int32");
      const sums = distributionSums(tf.tensor2d(student), tf.tensor2d(teacher), at);
      return Object.values(sums).map((sum) => sum.arraySync());
    });
  const wanted = sumsOf([1, 3]);
  expect(wanted.every(Number.isFinite)).toBe(true);
  expect(sumsOf([1, -1, 3, -1])).toEqual(wanted);
}

test("statistics of the composed kernel", () => {
  checkAll();
  checkSums();
});

describe.each(engineVariants)("statistics of the engine: $name", ({ options }) => {
  beforeAll(async () => void (await useWasmEngine(options)));
  afterAll(useCpu);
  test("are those of float64", () => {
    checkAll();
    checkSums();
  });
});

test("logits of different shapes are refused", () => {
  const run = () => tf.tidy(() => distributionStatistics(tf.zeros([2, 3]), tf.zeros([2, 4])));
  expect(run).toThrow(/teacherLogits/);
});
