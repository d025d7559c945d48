import * as tf from "@tensorflow/tfjs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startBackend } from "../../../../src/backend/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { useCpu } from "../../../setup/backend.js";

beforeEach(async () => {
  await startBackend("wasm");
});
afterEach(useCpu);

function randomValues(seed: number, length: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length }, () => random.normal());
}

/** Runs `compute` on wasm and on cpu, and gives both results. */
async function onBoth(compute: () => tf.Tensor): Promise<[number[], number[]]> {
  const results: number[][] = [];
  for (const start of [() => startBackend("wasm"), useCpu]) {
    await start();
    const tensor = tf.tidy(compute);
    results.push([...(await tensor.data())]);
    tensor.dispose();
  }
  return results as [number[], number[]];
}

function expectClose([wasm, cpu]: [number[], number[]], bound = 2e-5): void {
  expect(wasm.length).toBe(cpu.length);
  const errors = wasm.map((value, i) => Math.abs(value - (cpu[i] as number)));
  expect(Math.max(...errors)).toBeLessThan(bound);
}

describe("gather on wasm", () => {
  test("has the gradient of cpu, with repeated and missing rows", async () => {
    const table = randomValues(1, 7 * 3);
    const weights = randomValues(2, 2 * 4 * 3);
    expectClose(
      await onBoth(() => {
        const ids = tf.tensor2d([0, 6, 6, 2, 6, 0, 3, 3], [2, 4], "int32");
        const f = (x: tf.Tensor) =>
          x
            .gather(ids)
            .mul(tf.tensor(weights, [2, 4, 3]))
            .sum();
        return tf.grad(f)(tf.tensor(table, [7, 3]));
      }),
    );
  });

  test("sums int32 segments and drops ids that are no segment", async () => {
    const sums = tf.tidy(() =>
      tf.unsortedSegmentSum(tf.tensor1d([1, 2, 4, 8, 16], "int32"), [0, 2, 2, -1, 3], 3),
    );
    expect(sums.dtype).toBe("int32");
    expect([...(await sums.data())]).toEqual([1, 0, 6]);
    sums.dispose();
  });
});

describe("fused matmul on wasm", () => {
  test.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])("is that of cpu, value and gradient (transposes %s %s)", async (transposeA, transposeB) => {
    const [m, k, n] = [6, 5, 9];
    for (const outer of [[], [3]] as number[][]) {
      const a = randomValues(3, 3 * m * k);
      const b = randomValues(4, 3 * k * n);
      const size = tf.util.sizeFromShape(outer);
      const tensors = () =>
        [
          tf.tensor(a.slice(0, size * m * k), [...outer, ...(transposeA ? [k, m] : [m, k])]),
          tf.tensor(b.slice(0, size * k * n), [...outer, ...(transposeB ? [n, k] : [k, n])]),
        ] as [tf.Tensor, tf.Tensor] as [tf.Tensor2D, tf.Tensor2D];
      const bias = () => tf.range(0, n);
      const fused = (x: tf.Tensor2D, y: tf.Tensor2D) =>
        tf.fused.matMul({ a: x, b: y, transposeA, transposeB, bias: bias() });
      expectClose(await onBoth(() => fused(...tensors())));
      for (const activation of ["relu", "relu6", "elu", "sigmoid", "leakyrelu"] as const) {
        const activated = () => {
          const [x, y] = tensors();
          const flags = { transposeA, transposeB, activation, leakyreluAlpha: 0.1 };
          return tf.fused.matMul({ a: x, b: y, bias: bias().sub(n / 2), ...flags });
        };
        expectClose(await onBoth(activated));
      }
      expectClose(
        await onBoth(() => {
          const [x, y] = tensors();
          const grads = tf.grads((p: tf.Tensor, q: tf.Tensor) =>
            fused(p as tf.Tensor2D, q as tf.Tensor2D)
              .square()
              .sum(),
          )([x, y]);
          return tf.concat(grads.map((g) => g.flatten()));
        }),
        1e-3,
      );
    }
  });
});

test("the gradient of a convolution runs on wasm", async () => {
  const image = randomValues(5, 5 * 5 * 2);
  const filter = randomValues(6, 3 * 3 * 2 * 4);
  expectClose(
    await onBoth(() => {
      const x = tf.tensor4d(image, [1, 5, 5, 2]);
      const f = (w: tf.Tensor) =>
        tf
          .conv2d(x, w as tf.Tensor4D, 1, "same")
          .square()
          .sum();
      return tf.grad(f)(tf.tensor4d(filter, [3, 3, 2, 4]));
    }),
    1e-3,
  );
});

test("starting the backend again keeps its tensors and changes nothing", async () => {
  const before = tf.tensor1d([1, 2, 3]);
  const kernel = tf.getKernel("BatchMatMul", "wasm");
  await startBackend("wasm");
  expect(tf.getKernel("BatchMatMul", "wasm")).toBe(kernel);
  expect([...(await before.data())]).toEqual([1, 2, 3]);
  before.dispose();
});
