/** Large enough to be shared between threads: every number of threads gives the same bits. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as ops from "../../../src/ops/index.js";
import type { EngineOptions } from "../../../src/ops/index.js";
import { availableExecutors } from "../../../src/node/native-kernels.js";
import { Random } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { executors, useWasmEngine } from "../../setup/backends/wasm-engine.js";

function normals(shape: number[], name: string): tf.Tensor {
  const random = new Random(5).stream(name);
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.normal()),
    shape,
  );
}

function ids(shape: number[], bound: number): tf.Tensor {
  const random = new Random(6);
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Int32Array.from({ length: size }, () => random.integer(bound)),
    shape,
    "int32",
  );
}

const [B, T, H, K, hd, D, V] = [3, 60, 4, 2, 24, 96, 130] as const;

/** Named results, and with them all gradients, of one pass through every op. */
function everything(): Record<string, tf.Tensor> {
  const x = normals([B, T, D], "x");
  const weight = normals([200, D], "weight") as tf.Tensor2D;
  const row = normals([D], "row") as tf.Tensor1D;
  const wide = normals([200], "wide") as tf.Tensor1D;
  const q = normals([B, T, H, hd], "q");
  const k = normals([B, T, K, hd], "k");
  const v = normals([B, T, K, hd], "v");
  const tokens = ids([B, T], V) as tf.Tensor2D;
  const table = normals([V, D], "table") as tf.Tensor2D;
  const student = normals([B, T, V], "student");
  const teacher = normals([B, T, V], "teacher") as tf.Tensor3D;
  const { cos, sin } = ops.rotaryTables(tokens, {
    inverse: [ops.inverseFrequencies(hd, 10_000)],
    factor: 1,
  });
  const attend = (a: tf.Tensor, b: tf.Tensor, c: tf.Tensor) =>
    ops.causalAttention(a as tf.Tensor4D, b as tf.Tensor4D, c as tf.Tensor4D);
  const square = normals([H * hd, D], "square");
  const keyed = normals([K * hd, D], "keyed").mul(0.1);
  const jsd = { temperature: 1.5, beta: 0.3, normalized: false };
  const named: Record<string, [(...t: tf.Tensor[]) => tf.Tensor, tf.Tensor[]]> = {
    linear: [(a, w, b) => ops.linear(a, w as tf.Tensor2D, b as tf.Tensor1D), [x, weight, wide]],
    rmsNorm: [(a, w) => ops.rmsNorm(a, w as tf.Tensor1D, 1e-5), [x, row]],
    layerNorm: [
      (a, w, b) => ops.layerNorm(a, w as tf.Tensor1D, b as tf.Tensor1D, 1e-5),
      [x, row, row.add(1)],
    ],
    swiglu: [(a, b) => ops.swiglu(a, b), [x, x.mul(0.5)]],
    gelu: [(a) => ops.gelu(a), [x]],
    rotary: [(a) => ops.rotary(a as tf.Tensor4D, cos, sin), [q]],
    attention: [attend, [q, k, v]],
    residualMlp: [
      (a, g, gateWeight, upWeight, down) =>
        ops.residualMlp(
          {
            ...{ x: a as tf.Tensor, normWeight: g as tf.Tensor1D },
            ...{ gateWeight: gateWeight as tf.Tensor2D, upWeight: upWeight as tf.Tensor2D },
            downWeight: down as tf.Tensor2D,
          },
          { activation: "silu", weightLayout: "out-in", epsilon: 1e-5 },
        ),
      [x, row, weight.mul(0.1), weight.mul(0.2), weight.transpose().mul(0.05)],
    ],
    residualAttention: [
      (a, g, queryWeight, keyWeight, valueWeight, outputWeight) =>
        ops.residualAttention(
          {
            ...{ x: a as tf.Tensor, normWeight: g as tf.Tensor1D, cos, sin },
            ...{ queryWeight: queryWeight as tf.Tensor2D, keyWeight: keyWeight as tf.Tensor2D },
            ...{
              valueWeight: valueWeight as tf.Tensor2D,
              outputWeight: outputWeight as tf.Tensor2D,
            },
          },
          { headDim: hd, weightLayout: "out-in", epsilon: 1e-5 },
        ),
      [x, row, square.mul(0.1), keyed, keyed.mul(0.5), square.mul(0.05)],
    ],
    embedding: [(w) => ops.embedding(w as tf.Tensor2D, tokens), [table]],
    crossEntropy: [(s) => ops.crossEntropyFromLogits(s as tf.Tensor3D, tokens), [student]],
    forwardKl: [
      (s) => ops.forwardKlFromLogits(s as tf.Tensor3D, teacher, { temperature: 1 }),
      [student],
    ],
    jsd: [(s) => ops.generalizedJsdFromLogits(s as tf.Tensor3D, teacher, jsd), [student]],
    fromHidden: [
      (h, w) => {
        const student = { hidden: h as tf.Tensor3D, head: w as tf.Tensor2D };
        const teacher = { hidden: x.mul(0.5) as tf.Tensor3D, head: table };
        const rowWeights = tokens.greater(20).toFloat() as tf.Tensor2D;
        const { total, sums } = ops.lossesFromHidden(
          { student, teacher, labels: tokens },
          [
            { loss: { kind: "forwardKl" }, rowWeights, factor: 0.1 },
            { loss: { kind: "crossEntropy" }, rowWeights: tf.ones([B, T]), factor: 0.01 },
          ],
          { chunkBytes: 50 * 3 * 4 * V },
        );
        sums.dispose();
        return total;
      },
      [x, table.mul(0.1)],
    ],
    softmax: [(s) => tf.softmax(s), [student]],
    broadcast: [(a, b) => a.mul(b).add(b), [x, row]],
    transpose: [(a) => a.transpose([2, 0, 1]).exp(), [x]],
    matMul: [(a, w) => tf.matMul(a.reshape([-1, D]), w, false, true), [x, weight]],
  };
  const results: Record<string, tf.Tensor> = {};
  for (const [name, [f, inputs]] of Object.entries(named)) {
    const { value, grads } = tf.valueAndGrads((...t: tf.Tensor[]) =>
      f(...t)
        .square()
        .sum(),
    )(inputs);
    results[name] = f(...inputs);
    results[`Σ ${name}`] = value;
    for (const [i, g] of grads.entries()) results[`${name}, gradient ${i}`] = g;
  }
  const [parameter, firstMoment, secondMoment] = [x, x, x.square()].map((t) => tf.variable(t));
  const state = { parameter, firstMoment, secondMoment } as Record<
    "parameter" | "firstMoment" | "secondMoment",
    tf.Variable
  >;
  ops.adamwUpdate([{ ...state, gradient: x, weightDecay: 0.1 }], tf.scalar(0.5), {
    ...{ learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, step: 3 },
  });
  const moved = Object.fromEntries(Object.entries(state).map(([name, t]) => [name, t.clone()]));
  for (const variable of Object.values(state)) variable.dispose();
  return { ...results, ...moved, norm: ops.globalNorm([x, weight, row]) };
}

/** Index of the first entry whose bits differ, or -1. (`toEqual` takes seconds on large arrays.) */
function firstDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return 0;
  return a.findIndex((value, i) => !Object.is(value, b[i]));
}

async function readAll(options: EngineOptions): Promise<Map<string, Float32Array>> {
  const { numThreads } = options;
  await useWasmEngine(options);
  const read = new Map<string, Float32Array>();
  for (let round = 0; round < 3; round++) {
    const results = tf.tidy(everything);
    for (const [name, t] of Object.entries(results)) {
      const values = (await t.data()) as Float32Array;
      // Repeated, since a race need not show at once.
      const before = read.get(name);
      const difference = before ? firstDifference(values, before) : -1;
      expect(difference, `${name}, again with ${numThreads}`).toBe(-1);
      read.set(name, values);
    }
    tf.dispose(results);
  }
  return read;
}

describe("threads", () => {
  afterAll(useCpu);

  const expected = new Map<string, Float32Array>();
  beforeAll(async () => {
    await useCpu();
    const composed = tf.tidy(everything);
    for (const [name, t] of Object.entries(composed)) {
      expected.set(name, (await t.data()) as Float32Array);
    }
    tf.dispose(composed);
  });

  test.each(executors)(
    "1, 2 and 3 give the same bits, every time, and what cpu gives: $name",
    async ({ options }) => {
      const one = await readAll({ ...options, numThreads: 1 });
      for (const numThreads of [2, 3]) {
        const many = await readAll({ ...options, numThreads });
        for (const [name, values] of one) {
          const difference = firstDifference(many.get(name) as Float32Array, values);
          expect(difference, `${name} with ${numThreads} threads`).toBe(-1);
        }
      }
      for (const [name, values] of one) {
        const reference = expected.get(name) as Float32Array;
        const size = reference.reduce((largest, v) => Math.max(largest, Math.abs(v)), 0);
        const worst = reference.reduce(
          (most, v, i) => Math.max(most, Math.abs(v - (values[i] as number))),
          0,
        );
        expect(worst / size, `${name} against cpu`).toBeLessThan(2e-5);
      }
    },
  );

  test.each(["wasm", "native"])(
    "%s workers take their part, and the process can end while they sleep",
    (kind) => {
      const executor = kind === "wasm" ? "wasm" : availableExecutors()[0];
      const script = fileURLToPath(new URL("../../setup/backends/two-threads.ts", import.meta.url));
      const child = spawnSync(process.execPath, ["--import", "tsx", script], {
        encoding: "utf8",
        env: { ...process.env, PUPIL_EXECUTOR: executor },
        timeout: 30_000,
      });
      expect(child.stderr).toBe("");
      expect(child.stdout).toBe("workers took part\n");
      expect(child.status).toBe(0);
    },
  );
});
