/** The engine's sorting of whole rows, against tfjs's selection on the `cpu` backend. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Random } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { useWasmEngine } from "../../setup/backends/wasm-engine.js";

const random = new Random(5);
/** With many equal values, negative ones, zeros of both signs and extremes. */
const rows = Array.from({ length: 6 }, (_, row) =>
  Array.from({ length: 300 }, (_, i) => {
    if (i % 50 === row) return i % 100 === row ? -0 : 0;
    if (i === 7) return 1e9 * (row % 2 === 0 ? 1 : -1);
    return Math.round(20 * random.normal()) / 8;
  }),
);

function topOf(k: number): number[][][] {
  return tf.tidy(() => {
    const { values, indices } = tf.topk(tf.tensor(rows.flat(), [2, 3, 300]), k, true);
    return [values.reshape([6, k]).arraySync(), indices.reshape([6, k]).arraySync()];
  }) as number[][][];
}

let expected: Map<number, number[][][]>;
const counts = [1, 63, 64, 200, 300];

beforeAll(async () => {
  expected = new Map(counts.map((k) => [k, topOf(k)]));
  await useWasmEngine();
});
afterAll(useCpu);

test.each(counts)("the largest %i of 300 and where they are", (k) => {
  const [values, indices] = topOf(k);
  const [wantedValues, wantedIndices] = expected.get(k) as number[][][];
  expect(indices).toEqual(wantedIndices);
  expect(values?.map((row) => row.map((x) => x + 0))).toEqual(
    wantedValues?.map((row) => row.map((x) => x + 0)),
  );
});
