/** The tfjs kernels that the engine replaces, against those of the `cpu` backend. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Random } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { executors, useWasmEngine } from "../../setup/backends/wasm-engine.js";
import { expectClose } from "../ops/closeness.js";

type Shape = readonly number[];

function normals(shape: Shape, seed: number): tf.Tensor {
  const random = new Random(seed);
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.normal()),
    [...shape],
  );
}

interface KernelCase {
  readonly title: string;
  readonly shapes: readonly Shape[];
  readonly run: (...tensors: tf.Tensor[]) => tf.Tensor;
  readonly absolute?: number;
  /** False where tfjs has no gradient, or a wrong one when it broadcasts. */
  readonly differentiable?: boolean;
}

const broadcasts: [Shape, Shape][] = [
  [[7], [7]],
  [[3, 5], []],
  [[], [3, 5]],
  [[2, 3, 5], [5]],
  [
    [2, 3, 5],
    [3, 1],
  ],
  [
    [2, 1, 5],
    [3, 1],
  ],
  [
    [2, 1, 9],
    [1, 3, 9],
  ],
  [
    [2, 3, 4, 5],
    [2, 1, 4, 1],
  ],
  [
    [2, 1, 3, 1],
    [1, 4, 1, 6],
  ],
  [[0, 3], [3]],
  [[1030], [1]],
];
const binary = ["add", "sub", "mul", "div", "maximum", "minimum", "squaredDifference"] as const;
const unary = ["neg", "abs", "square", "relu", "floor", "round", "tanh", "sigmoid", "exp"] as const;

const transposes: [Shape, number[]][] = [
  [
    [5, 7],
    [1, 0],
  ],
  [
    [2, 6, 3, 8],
    [0, 2, 1, 3],
  ],
  [
    [2, 6, 3, 8],
    [0, 2, 3, 1],
  ],
  [
    [2, 3, 4],
    [2, 1, 0],
  ],
  [
    [2, 3, 2, 3, 2],
    [4, 2, 0, 3, 1],
  ],
  [
    [0, 3],
    [1, 0],
  ],
  [[1], [0]],
];

const reductions: [Shape, number[] | undefined, boolean][] = [
  [[5], undefined, false],
  [[3, 700], [1], true],
  [[700, 19], [0], false],
  [[2, 3, 37], [0, 1], false],
  [[2, 3, 4], [1], false],
  [[2, 3, 4], [0, 2], true],
  [[2, 0], [1], false],
];

const cases: KernelCase[] = [
  ...broadcasts.flatMap((shapes) =>
    binary.map((name) => ({
      title: `${name} [${shapes[0]}] [${shapes[1]}]`,
      shapes,
      run: (a: tf.Tensor, b: tf.Tensor) => tf[name](a, b),
      differentiable: ["add", "sub", "mul", "div"].includes(name) || shapes[0] === shapes[1],
    })),
  ),
  ...unary.flatMap((name) =>
    [[1], [7], [3, 5], [0], [4100]].map((shape) => ({
      title: `${name} [${shape}]`,
      shapes: [shape],
      run: (x: tf.Tensor) => tf[name](x),
    })),
  ),
  ...["sqrt", "rsqrt", "log", "reciprocal"].map((name) => ({
    title: `${name} of positive numbers`,
    shapes: [[13]],
    run: (x: tf.Tensor) => tf[name as "sqrt"](x.square().add(0.1)),
  })),
  { title: "erf", shapes: [[50]], run: (x) => tf.erf(x), absolute: 5e-7 },
  ...transposes.map(([shape, perm]) => ({
    title: `transpose [${shape}] by [${perm}]`,
    shapes: [shape],
    run: (x: tf.Tensor) => x.transpose(perm),
  })),
  ...reductions.flatMap(([shape, axes, keep]) =>
    (["sum", "mean", "max"] as const)
      .filter((name) => name !== "max" || !shape.includes(0))
      .filter((name) => name !== "mean" || !shape.includes(0))
      .map((name) => ({
        title: `${name} [${shape}] over ${axes}`,
        shapes: [shape],
        run: (x: tf.Tensor) => tf[name](x, axes, keep),
        absolute: 5e-5,
      })),
  ),
  { title: "softmax", shapes: [[3, 7]], run: (x) => tf.softmax(x) },
  { title: "softmax, wide", shapes: [[2, 1030]], run: (x) => tf.softmax(x.mul(8)) },
  { title: "log-softmax", shapes: [[2, 2, 9]], run: (x) => tf.logSoftmax(x) },
  { title: "slice", shapes: [[4, 5, 6]], run: (x) => tf.slice(x, [1, 0, 2], [2, 5, 3]) },
  { title: "slice of nothing", shapes: [[4, 5]], run: (x) => tf.slice(x, [1, 0], [0, 5]) },
  {
    title: "split",
    shapes: [[2, 3, 12]],
    run: (x) => tf.addN(tf.split(x, 3, -1).map((t, i) => t.mul(i + 1))),
  },
  { title: "uneven split", shapes: [[5, 3]], run: (x) => tf.split(x, [1, 4], 0)[1] as tf.Tensor },
  {
    title: "concat of the last axis",
    shapes: [
      [2, 3],
      [2, 5],
    ],
    run: (a, b) => tf.concat([a, b, a], 1),
  },
  {
    title: "concat of the first axis",
    shapes: [
      [2, 3],
      [0, 3],
    ],
    run: (a, b) => tf.concat([a, b, a], 0),
  },
  {
    title: "addN",
    shapes: [
      [3, 5],
      [3, 5],
      [3, 5],
    ],
    run: (...t) => tf.addN(t),
  },
  {
    title: "gather",
    shapes: [[5, 3]],
    run: (x) =>
      tf.gather(
        x,
        tf.tensor2d(
          [
            [4, 0, 4],
            [1, 1, 2],
          ],
          [2, 3],
          "int32",
        ),
      ),
  },
  {
    title: "unsortedSegmentSum",
    shapes: [[6, 5]],
    run: (x) => tf.unsortedSegmentSum(x, tf.tensor1d([2, 0, 2, 1, 2, 0], "int32"), 4),
  },
  {
    title: "cast from int32",
    shapes: [[5]],
    differentiable: false,
    run: (x) => x.mul(10).toInt().toFloat().mul(0.5),
  },
  {
    title: "cast from bool",
    shapes: [[5]],
    differentiable: false,
    run: (x) => x.greater(0).toFloat().add(x),
  },
  {
    title: "sum of bool",
    shapes: [[5]],
    differentiable: false,
    run: (x) => x.greater(0).sum().toFloat().add(1),
  },
  {
    title: "where",
    shapes: [[5], [5]],
    differentiable: false,
    run: (a, b) => tf.where(a.greater(b), a, b),
  },
  {
    title: "max and sum with NaN",
    shapes: [[21]],
    run: (x) => tf.stack([tf.concat([x, [NaN]]).max(), x.max(), tf.concat([x, [NaN]]).sum()]),
    differentiable: false,
  },
  { title: "fill", shapes: [[1]], run: (x) => tf.fill([3, 3], 2.5).add(x) },
  { title: "cumsum, which stays JavaScript", shapes: [[3, 5]], run: (x) => x.cumsum(1).mul(2) },
  { title: "tile", shapes: [[2, 3]], run: (x) => x.tile([2, 2]).neg() },
  { title: "tile of rows", shapes: [[1, 7]], run: (x) => x.tile([5, 1]) },
  { title: "tile of three axes", shapes: [[2, 3, 2]], run: (x) => x.tile([2, 1, 3]) },
  ...(["equal", "notEqual", "greater", "greaterEqual", "less", "lessEqual"] as const).flatMap(
    (name) =>
      broadcasts.map((shapes) => ({
        title: `${name} [${shapes[0]}] [${shapes[1]}]`,
        shapes,
        // Rounded, so that some entries are equal.
        run: (a: tf.Tensor, b: tf.Tensor) => tf[name](a.round(), b.round()),
        differentiable: false,
      })),
  ),
];

async function results({ shapes, run, differentiable = true }: KernelCase): Promise<{
  shape: number[];
  dtype: string;
  value: ArrayLike<number>;
  gradients: ArrayLike<number>[];
}> {
  const tensors = shapes.map((shape, i) => normals(shape, 10 + i));
  const value = tf.tidy(() => run(...tensors));
  const gradients: tf.Tensor[] = [];
  for (const [i, x] of differentiable ? tensors.entries() : []) {
    const f = (t: tf.Tensor) => run(...tensors.map((other, j) => (i === j ? t : other)));
    gradients.push(tf.tidy(() => tf.grad((t) => f(t).square().sum())(x)));
  }
  const read = {
    shape: value.shape,
    dtype: value.dtype,
    value: await value.data(),
    gradients: await Promise.all(gradients.map((g) => g.data())),
  };
  tf.dispose([tensors, value, gradients]);
  return read;
}

const expected = new Map<string, Awaited<ReturnType<typeof results>>>();
beforeAll(async () => {
  await useCpu();
  for (const c of cases) expected.set(c.title, await results(c));
});

describe.each(executors)("kernels of the engine give what the cpu backend's give, $name", (one) => {
  beforeAll(async () => {
    await useWasmEngine(one.options);
  });
  afterAll(useCpu);

  test.each(cases)("$title", async (kernelCase) => {
    const absolute = kernelCase.absolute ?? 2e-6;
    const cpu = expected.get(kernelCase.title) as Awaited<ReturnType<typeof results>>;
    const ours = await results(kernelCase);
    expect(ours.shape).toEqual(cpu.shape);
    expect(ours.dtype).toBe(cpu.dtype);
    expect(Array.from(ours.value, Number.isNaN)).toEqual(Array.from(cpu.value, Number.isNaN));
    const numbers = (values: ArrayLike<number>) => Array.from(values).filter((v) => !isNaN(v));
    const bounds = { absolute, relative: 2e-6 };
    expectClose(numbers(ours.value), numbers(cpu.value), bounds, "value");
    expect(ours.gradients).toHaveLength(cpu.gradients.length);
    for (const [i, gradient] of ours.gradients.entries()) {
      const bounds = { absolute: 2 * absolute, relative: 1e-5 };
      expectClose(gradient, cpu.gradients[i] as Float32Array, bounds, `gradient ${i}`);
    }
  });
});
