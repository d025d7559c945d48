/**
 * Logits of −Infinity in the divergences and the statistics, on the composed ops and on whatever runs the
 * engine's kernels, against float64: 0 · log 0 = 0, and a KL is infinite where its second distribution
 * rules out a token that its first does not.
 */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  distributionStatistics,
  forwardKlFromLogits,
  generalizedJsdFromLogits,
  reverseKlFromLogits,
} from "../../src/ops/index.js";
import { Random } from "../../src/tensors/index.js";
import { useCpu } from "../setup/backends/backend.js";
import { engineVariants, useWasmEngine } from "../setup/backends/wasm-engine.js";

type Row = readonly number[];
type Divergence = (student: tf.Tensor3D, teacher: tf.Tensor3D) => tf.Tensor;

const beta = 0.3;
const temperature = 2;

function softmax(logits: Row, t: number): number[] {
  const top = Math.max(...logits);
  const weights = logits.map((x) => Math.exp((x - top) / t));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / total);
}

const sum = (x: Row) => x.reduce((a, b) => a + b, 0);
const kl = (p: Row, q: Row) =>
  sum(p.map((x, i) => (x === 0 ? 0 : x * Math.log(x / (q[i] as number)))));
const mixture = (s: Row, t: Row) => s.map((x, i) => beta * (t[i] as number) + (1 - beta) * x);

/** Value, and gradient with respect to the logits of S where there is one. */
const references: Readonly<Record<string, (s: Row, t: Row) => { value: number; gradient: Row }>> = {
  forward: (s, t) => ({
    value: kl(t, s),
    gradient: s.map((x, i) => (x - (t[i] as number)) / temperature),
  }),
  reverse: (s, t) => {
    const value = kl(s, t);
    const of = (x: number, i: number) => x * (Math.log(x / (t[i] as number)) - value);
    return { value, gradient: s.map((x, i) => (x === 0 ? 0 : of(x, i) / temperature)) };
  },
  jsd: (s, t) => {
    const m = mixture(s, t);
    const ofStudent = kl(s, m);
    const of = (x: number, i: number) => x * (Math.log(x / (m[i] as number)) - ofStudent);
    return {
      value: beta * kl(t, m) + (1 - beta) * ofStudent,
      gradient: s.map((x, i) => (x === 0 ? 0 : ((1 - beta) * of(x, i)) / temperature)),
    };
  },
};

const ops: Readonly<Record<string, Divergence>> = {
  forward: (s, t) => forwardKlFromLogits(s, t, { temperature }),
  reverse: (s, t) => reverseKlFromLogits(s, t, { temperature }),
  jsd: (s, t) => generalizedJsdFromLogits(s, t, { temperature, beta, normalized: false }),
};

const composed: Readonly<Record<string, Divergence>> = {
  forward: (studentLogits, teacherLogits) =>
    forwardKlFromLogits.definition.reference({ studentLogits, teacherLogits }, { temperature }),
  reverse: (studentLogits, teacherLogits) =>
    reverseKlFromLogits.definition.reference({ studentLogits, teacherLogits }, { temperature }),
  jsd: (studentLogits, teacherLogits) =>
    generalizedJsdFromLogits.definition.reference(
      { studentLogits, teacherLogits },
      { temperature, beta, normalized: false },
    ),
};

/** Every third token out, from `first` on; the last of them alone where the row is shorter. */
const mask = (row: Row, first: number): Row =>
  row.map((x, i) => (i % 3 === first && row.length > 1 ? -Infinity : x));

function pairsOf(V: number): [student: Row, teacher: Row][] {
  const random = new Random(V).stream("masked");
  const logits = () => Array.from({ length: V }, () => Math.fround(3 * random.normal()));
  const [s, t] = [logits(), logits()];
  return [
    [s, mask(t, 0)],
    [mask(s, 0), t],
    [mask(s, 0), mask(t, 0)],
    [mask(s, 1), mask(t, 0)],
    // As much ruled out by a number as by −Infinity.
    [mask(s, 0).map((x) => (x === -Infinity ? -1e9 : x)), mask(t, 0)],
    [s, t],
  ];
}

function close(found: number, wanted: number): boolean {
  return found === wanted || Math.abs(found - wanted) <= 2e-5 * Math.max(1, Math.abs(wanted));
}

/** @param hasNone whether where a KL is infinite autodiff has no gradient, not even for a dy of 0 */
function checkDivergences(functions: Readonly<Record<string, Divergence>>, hasNone = false): void {
  for (const V of [1, 2, 5, 64, 301]) {
    const pairs = pairsOf(V);
    for (const [name, run] of Object.entries(functions)) {
      const results = tf.tidy(() => {
        const s = tf.tensor3d([pairs.map(([row]) => [...row])]);
        const t = tf.tensor3d([pairs.map(([, row]) => [...row])]);
        // Infinite values are left out of what is differentiated, as a masked position is.
        const values = run(s, t).reshape([-1]).arraySync() as number[];
        const counted = tf.tensor2d([values.map((v) => Number(Number.isFinite(v)))]);
        const differentiate = tf.grad((x: tf.Tensor) => {
          const value = run(x as tf.Tensor3D, t);
          return tf.where(counted.notEqual(0), value, tf.zerosLike(value)).sum();
        });
        return { values, gradient: differentiate(s).reshape([-1, V]).arraySync() as number[][] };
      });
      for (const [i, [s, t]] of pairs.entries()) {
        const where = `${name}, V ${V}, row ${i}`;
        const wanted = references[name]?.(softmax(s, temperature), softmax(t, temperature));
        const value = results.values[i] as number;
        expect(
          close(value, wanted?.value as number),
          `${where}: ${value}, not ${wanted?.value}`,
        ).toBe(true);
        for (const [v, found] of (results.gradient[i] as number[]).entries()) {
          if (hasNone && !Number.isFinite(value)) continue;
          const g = Number.isFinite(value) ? (wanted?.gradient[v] as number) : 0;
          expect(close(found, g), `${where}, gradient ${v}: ${found}, not ${g}`).toBe(true);
        }
      }
    }
  }
}

function checkStatistics(): void {
  for (const V of [1, 2, 5, 64, 301]) {
    const pairs = pairsOf(V);
    const found = tf.tidy(() => {
      const rows = (k: 0 | 1) => tf.tensor2d(pairs.map((pair) => [...pair[k]]));
      return distributionStatistics(rows(0), rows(1)).arraySync();
    });
    for (const [i, [student, teacher]] of pairs.entries()) {
      const [s, t] = [softmax(student, 1), softmax(teacher, 1)];
      const entropy = (p: Row) => -sum(p.map((x) => (x === 0 ? 0 : x * Math.log(x))));
      const variation = 0.5 * sum(s.map((x, v) => Math.abs(x - (t[v] as number))));
      const wanted = [kl(t, s), kl(s, t), entropy(s), entropy(t), variation];
      for (const [column, want] of wanted.entries()) {
        const value = found[i]?.[column] as number;
        expect(
          close(value, want),
          `V ${V}, row ${i}, column ${column}: ${value}, not ${want}`,
        ).toBe(true);
      }
    }
  }
}

describe("masked vocabularies, composed", () => {
  test("divergences", () => checkDivergences(ops));
  test("references of the divergences", () => checkDivergences(composed, true));
  test("statistics", checkStatistics);
});

describe.each(engineVariants)("masked vocabularies, $name", ({ options }) => {
  beforeAll(async () => void (await useWasmEngine(options)));
  afterAll(useCpu);
  test("divergences", () => checkDivergences(ops));
  test("statistics", checkStatistics);
});
