/** The same values where an adapter binds few arrays at a time, and only small parts of them. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import type { GpuTensors } from "../../../src/ops/index.js";
import {
  averageUpdate,
  embedding,
  globalNorm,
  type HiddenLossTerm,
  linear,
  lossesFromHidden,
  residualMlp,
} from "../../../src/ops/index.js";
import { AdamW } from "../../../src/optim/index.js";
import { createVariable } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { hasVulkan, onWebGpu, useWebGpu } from "../../setup/backends/webgpu.js";
import { normals } from "../ops/cases/op-case.js";

const of = (shape: number[], name: string) =>
  tf.tensor(Float32Array.from(normals(shape, name).data), shape);

type Limits = { -readonly [K in "mostArrays" | "mostBytes"]: GpuTensors[K] };
const limits = () => tf.backend() as unknown as Limits;

async function numbersOf(make: () => tf.Tensor | tf.Tensor[]): Promise<number[][]> {
  const tensors = [tf.tidy(make)].flat();
  const values: number[][] = [];
  for (const tensor of tensors) values.push(Array.from(await tensor.data()));
  tf.dispose(tensors);
  return values;
}

function expectClose(found: number[][], expected: number[][]): void {
  expect(found).toHaveLength(expected.length);
  for (const [i, values] of expected.entries()) {
    expect(found[i]).toHaveLength(values.length);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    const worst = values.reduce(
      (most, value, j) => Math.max(most, Math.abs(value - (found[i]?.[j] as number))),
      0,
    );
    expect(worst / largest).toBeLessThan(1e-5);
  }
}

type Layout = "out-in" | "in-out";

/** x, weight and bias of a layer whose weight has 102 KiB. */
const layer = (rows: number, layout: Layout) =>
  [
    of([rows, 200], "x"),
    of(layout === "out-in" ? [130, 200] : [200, 130], "w"),
    of([130], "b"),
  ] as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];

/** Its gradients; its outputs are small enough for the ops of tfjs that come after it. */
const gradients = (weightLayout: Layout) => () => {
  const dy = of([20, 130], "dy");
  const { value, grads } = tf.valueAndGrads((x, weight, bias) =>
    linear(x, weight as tf.Tensor2D, bias as tf.Tensor1D, { weightLayout })
      .mul(dy)
      .sum(),
  )(layer(20, weightLayout));
  return [value, ...grads];
};

/** Its outputs, which have 76 KiB, and outputs of that many inputs. */
const outputs = (weightLayout: Layout) => () => {
  const [x, weight, bias] = layer(150, weightLayout);
  const back = weightLayout === "out-in" ? "in-out" : "out-in";
  const y = linear(x, weight, bias, { weightLayout }) as tf.Tensor2D;
  return [y, linear(y, weight, undefined, { weightLayout: back })];
};

const table = () => {
  const ids = tf.tensor2d([[0, 299, 64, 64, 128, 300, -1]], [1, 7], "int32");
  const weight = of([300, 70], "table") as tf.Tensor2D;
  const dy = of([1, 7, 70], "dy");
  const gradient = tf.grad((w) =>
    embedding(w as tf.Tensor2D, ids)
      .mul(dy)
      .sum(),
  )(weight);
  return [embedding(weight, ids), gradient];
};

/** A block with all that it may have: as many arrays as any of ours. */
const block = () => {
  const names = ["x", "normWeight", "normBias", "upWeight", "upBias", "downWeight", "downBias"];
  const shapes = [[2, 5, 8], [8], [8], [12, 8], [12], [8, 12], [8]];
  const given = shapes.map((shape, i) => of(shape, names[i] as string));
  const inputs = (tensors: tf.Tensor[]) =>
    Object.fromEntries(tensors.map((tensor, i) => [names[i], tensor])) as unknown as Parameters<
      typeof residualMlp
    >[0];
  const attributes = { epsilon: 1e-5, activation: "gelu-tanh", weightLayout: "out-in" } as const;
  const run = (tensors: tf.Tensor[]) => residualMlp(inputs(tensors), attributes);
  const { grads } = tf.valueAndGrads((...tensors) => run(tensors).square().sum())(given);
  return [run(given), ...grads];
};

/** Losses of four terms whose factors are data: an array more than what eight are. */
const losses = () => {
  const labels = tf.tensor2d([[1, 0, 4, 2, 6]], [1, 5], "int32");
  const teacher = { hidden: of([1, 5, 6], "t"), head: of([7, 6], "u") } as {
    hidden: tf.Tensor3D;
    head: tf.Tensor2D;
  };
  const kinds = ["crossEntropy", "forwardKl", "reverseKl", "crossEntropy"] as const;
  const terms = kinds.map((kind, i): HiddenLossTerm => {
    const rowWeights = tf.tensor2d([[i, 0, 1, 2, 0]]);
    return { loss: { kind }, rowWeights, factor: tf.scalar(0.5 + i) };
  });
  const { value, grads } = tf.valueAndGrads((hidden, head) => {
    const student = { hidden: hidden as tf.Tensor3D, head: head as tf.Tensor2D };
    return lossesFromHidden({ student, teacher, labels }, terms).total;
  })([of([1, 5, 8], "h"), of([7, 8], "w")]);
  return [value, ...grads];
};

/** One of 108 KiB. */
const average = () => {
  const moved = createVariable(of([300, 90], "average"), false);
  averageUpdate(moved, of([300, 90], "current"), 0.75);
  const values = moved.clone();
  moved.dispose();
  return values;
};

describe.skipIf(!hasVulkan)(`small limits of ${onWebGpu}`, () => {
  let whole: Limits;
  beforeEach(async () => {
    await useWebGpu();
    const { mostArrays, mostBytes } = limits();
    whole = { mostArrays, mostBytes };
  });
  afterEach(() => {
    Object.assign(limits(), whole);
  });
  afterAll(useCpu);

  test.each([
    ["a layer [out, in]", outputs("out-in")],
    ["a layer [in, out]", outputs("in-out")],
    ["a gradient [out, in]", gradients("out-in")],
    ["a gradient [in, out]", gradients("in-out")],
    ["a table", table],
    ["an average", average],
  ])("%s in parts of 64 KiB is what it is as a whole", async (_, make) => {
    const expected = await numbersOf(make);
    limits().mostBytes = 2 ** 16;
    expectClose(await numbersOf(make), expected);
  });

  test("a block with four arrays at a time is what it is with all", async () => {
    const expected = await numbersOf(block);
    limits().mostArrays = 4;
    expectClose(await numbersOf(block), expected);
  });

  // With eight the factors are copied beside other arrays, with four it is composed of other ops.
  test.each([8, 4])(
    "losses of four terms with %i arrays at a time are what they are with all",
    async (arrays) => {
      const expected = await numbersOf(losses);
      limits().mostArrays = arrays;
      expectClose(await numbersOf(losses), expected);
    },
  );

  test("an update in parts is what it is as a whole", async () => {
    const train = async () => {
      const parameters = new Map(
        [[300, 90], [3], [40, 70]].map((shape, i) => [
          `p${i}`,
          tf.tidy(() => createVariable(of(shape, `p${i}`), true)),
        ]),
      );
      using optimizer = new AdamW(parameters, { weightDecay: 0.1 });
      let norm: tf.Scalar | undefined;
      for (let step = 0; step < 3; step++) {
        norm?.dispose();
        norm = tf.tidy(() => {
          const gradients = new Map(
            [...parameters].map(([name, { shape }]) => [name, of(shape, `${name}, ${step}`)]),
          );
          optimizer.apply(gradients, 0.01, tf.scalar(0.5));
          return globalNorm([...gradients.values()]);
        });
      }
      const values = [norm as tf.Tensor, ...parameters.values()];
      const numbers: number[][] = [];
      for (const tensor of values) numbers.push(Array.from(await tensor.data()));
      tf.dispose(values);
      return numbers;
    };
    const expected = await train();
    limits().mostBytes = 2 ** 16;
    expectClose(await train(), expected);
  });

  test("what cannot be split is an error that says how large it is", async () => {
    limits().mostBytes = 2 ** 14;
    expect(() => tf.tidy(() => tf.exp(tf.ones([100, 100])))).toThrow(
      /^A tensor of 40 KiB is more than this GPU's shaders may use at a time, 16 KiB\./,
    );
  });
});
