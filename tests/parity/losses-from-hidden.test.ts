/**
 * The PyTorch fixtures of losses.test.ts once more, through the op that computes a loss from hidden
 * states in chunks of rows. Its logits are the fixture's: the head is a matrix with orthonormal
 * rows, the hidden states are logits · head (in float64), so hidden · headᵀ are the logits again.
 */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  findLoss,
  type GoldenCase,
  type LossDefinition,
  lossDefinitions,
  lossTerm,
} from "../../src/losses/index.js";
import { lossesFromHidden, type LossesFromHiddenInputs } from "../../src/ops/index.js";
import { useCpu } from "../setup/backends/backend.js";
import { titledCases } from "../setup/losses/golden-fixtures.js";
import { useWasmEngine } from "../setup/backends/wasm-engine.js";

type Matrix = readonly (readonly number[])[];

/** Relative to the largest entry, as in losses.test.ts. */
const tolerance = 1e-5;

const fused = titledCases.filter(({ golden }) => findLoss(golden.loss).rowLosses !== undefined);

/** The first rows of the reflection I − 2vvᵀ/‖v‖²: dense, with orthonormal rows. */
function orthonormalRows(rows: number, columns: number): Matrix {
  const v = Array.from({ length: columns }, (_, i) => 1 + (i % 3) / 2);
  const norm = v.reduce((sum, x) => sum + x * x, 0);
  const entry = (i: number, j: number) =>
    (i === j ? 1 : 0) - (2 * (v[i] as number) * (v[j] as number)) / norm;
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_unused, j) => entry(i, j)),
  );
}

const identity = (size: number): Matrix =>
  Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_unused, j) => +(i === j)));

const transpose = (a: Matrix): Matrix =>
  (a[0] ?? []).map((_, j) => a.map((row) => row[j] as number));

const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) =>
    transpose(b).map((column) => row.reduce((sum, x, i) => sum + x * (column[i] as number), 0)),
  );

const rowsOf = (nested: unknown) => (nested as number[][][]).flat();

function relativeError(actual: Iterable<number>, expected: readonly number[]): number {
  const found = [...actual];
  expect(found.length).toBe(expected.length);
  const errors = found.map((x, i) => Math.abs(x - (expected[i] as number)));
  return Math.max(...errors) / Math.max(...expected.map(Math.abs));
}

interface Form {
  readonly head: (vocabularySize: number) => Matrix;
  /** How the teacher is given. */
  readonly teacher: "hidden" | "logits";
  readonly chunkBytes?: number;
}

const dense = (size: number) => orthonormalRows(size, size + 2);

// 20 bytes are a row of 5 logits; the teacher's count too, and on cpu their gradient.
const forms: [string, Form][] = [
  ["one row at a time", { head: identity, teacher: "hidden", chunkBytes: 1 }],
  ["a few rows at a time", { head: dense, teacher: "hidden", chunkBytes: 120 }],
  ["next to the teacher's logits", { head: dense, teacher: "logits", chunkBytes: 60 }],
  ["all rows at once", { head: dense, teacher: "hidden" }],
];

/** The fixture's inputs; the teacher's hidden states are wider and have a head of their own. */
function given(
  { inputs }: GoldenCase,
  { teacher }: Form,
  [B, T]: readonly [number, number],
): Omit<LossesFromHiddenInputs, "student"> {
  const { teacherLogits, labels } = inputs;
  if (labels !== undefined) return { labels: tf.tensor2d(labels as number[][], [B, T], "int32") };
  if (teacher === "logits") return { teacher: { logits: tf.tensor3d(teacherLogits as never) } };
  const logits = rowsOf(teacherLogits);
  const V = (logits[0] as readonly number[]).length;
  const head = orthonormalRows(V, V + 3);
  const hidden = tf.tensor3d(product(logits, head).flat(), [B, T, V + 3]);
  return { teacher: { hidden, head: tf.tensor2d(head as number[][]) } };
}

/** Value of every row, and gradients of their sum with respect to hidden states and head. */
async function evaluate(golden: GoldenCase, form: Form) {
  const { definition, config } = lossTerm(findLoss(golden.loss), { ...golden.config });
  const losses = definition.rowLosses?.(config) ?? [];
  const logits = golden.inputs["studentLogits"] as number[][][];
  const [B, T, V] = [logits.length, (logits[0] as number[][]).length, logits[0]?.[0]?.length ?? 0];
  const head = form.head(V);
  const hidden = product(logits.flat(), head);
  const results = tf.tidy(() => {
    const others = given(golden, form, [B, T]);
    const { chunkBytes } = form;
    const h = tf.tensor3d(hidden.flat(), [B, T, (head[0] as readonly number[]).length]);
    const w = tf.tensor2d(head as number[][]);
    const run = (student: tf.Tensor[], weights: readonly tf.Tensor[]) =>
      lossesFromHidden(
        {
          student: { hidden: student[0] as tf.Tensor3D, head: student[1] as tf.Tensor2D },
          ...others,
        },
        weights.flatMap((rowWeights) =>
          losses.map((loss) => ({ loss, rowWeights: rowWeights as tf.Tensor2D })),
        ),
        chunkBytes === undefined ? {} : { chunkBytes },
      );
    // A term for every row tells the values of the rows apart.
    const rows = tf.unstack(tf.eye(B * T).reshape([B * T, B, T]));
    const { sums } = run([h, w], rows);
    const values = sums.reshape([B * T, losses.length]).sum(1);
    const gradients = tf.grads((...student) => run(student, [tf.ones([B, T])]).total)([h, w]);
    return [values, ...gradients];
  });
  const read = await Promise.all(results.map((t) => t.data<"float32">()));
  tf.dispose(results);
  const [values, ofHidden, ofHead] = read as [Float32Array, Float32Array, Float32Array];
  return { values, ofHidden, ofHead, head, hidden };
}

describe.each([
  ["cpu", useCpu],
  ["the engine", () => useWasmEngine()],
])("against PyTorch on %s, from hidden states", (_, start) => {
  beforeAll(async () => {
    await start();
  });
  afterAll(useCpu);

  describe.each(forms)("%s", (_title, form) => {
    test.each(fused)("$title", async ({ golden }) => {
      const { values, ofHidden, ofHead, head, hidden } = await evaluate(golden, form);
      const ofLogits = rowsOf(golden.expected.gradients?.["studentLogits"]);
      const wanted = (golden.expected.values as number[][]).flat();
      expect(relativeError(values, wanted)).toBeLessThanOrEqual(tolerance);
      const wantedOfHidden = product(ofLogits, head).flat();
      expect(relativeError(ofHidden, wantedOfHidden)).toBeLessThanOrEqual(tolerance);
      const wantedOfHead = product(transpose(ofLogits), hidden).flat();
      expect(relativeError(ofHead, wantedOfHead)).toBeLessThanOrEqual(tolerance);
    });
  });
});

test("the losses that have this form, at every configuration, are those that say so", () => {
  const withForm = lossDefinitions.filter((loss: LossDefinition) => loss.rowLosses !== undefined);
  expect(withForm.map(({ name }) => name)).toEqual([
    ...["cross-entropy", "forward-kl", "reverse-kl", "symmetric-kl", "generalized-jsd"],
  ]);
  for (const { name } of withForm) {
    expect(fused.filter(({ golden }) => golden.loss === name).length).toBeGreaterThanOrEqual(2);
  }
});
