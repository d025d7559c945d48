import type * as tf from "@tensorflow/tfjs-core";
import {
  embedding,
  gelu,
  layerNorm,
  linear,
  rmsNorm,
  rotary,
  silu,
  swiglu,
} from "../../../../src/ops/index.js";
import * as activations from "../reference/activations.js";
import { fromValues, type NdArray } from "../reference/array.js";
import * as affine from "../reference/linear.js";
import * as norms from "../reference/norms.js";
import { rotary as rotaryReference } from "../reference/rotary.js";
import { input, integers, normals, type OpCase } from "./op-case.js";

type Tensors = { x: tf.Tensor; weight: tf.Tensor2D; bias?: tf.Tensor1D };

const linearCases = (
  [
    [[2, 3, 5], 7, true, "out-in"],
    [[3, 4], 9, false, "out-in"],
    [[1, 1], 1, true, "out-in"],
    [[1, 2, 3, 5], 6, true, "in-out"],
    [[5, 13], 3, false, "in-out"],
  ] as const
).map(([shape, size, hasBias, weightLayout]): OpCase => {
  const width = shape[shape.length - 1] as number;
  const weightShape = weightLayout === "out-in" ? [size, width] : [width, size];
  const inputs = {
    x: normals(shape, "x"),
    weight: normals(weightShape, "weight"),
    ...(hasBias && { bias: normals([size], "bias") }),
  };
  return {
    op: "linear",
    title: `[${shape}] to ${size}, ${weightLayout}, ${hasBias ? "with" : "without"} bias`,
    inputs,
    differentiable: Object.keys(inputs),
    run: (t) => {
      const { x, weight, bias } = t as Tensors;
      return linear(x, weight, bias, { weightLayout });
    },
    composed: (t) => linear.definition.reference(t as Tensors, { weightLayout }),
    expected: (i) => affine.linear(input(i, "x"), input(i, "weight"), i["bias"], weightLayout),
  };
});

const embeddingCases = (
  [
    [11, 3, [2, 4]],
    [3, 5, [2, 7]],
    [1, 2, [1, 3]],
    [6, 1, [1, 1]],
  ] as const
).map(
  ([V, D, shape]): OpCase => ({
    op: "embedding",
    title: `[${V}, ${D}] by ids [${shape}]`,
    inputs: { weight: normals([V, D], "weight"), ids: integers(shape, "ids", V) },
    int32: ["ids"],
    differentiable: ["weight"],
    run: (t) => embedding(input(t, "weight") as tf.Tensor2D, input(t, "ids")),
    composed: (t) => {
      const weight = input(t, "weight") as tf.Tensor2D;
      return embedding.definition.reference({ weight, ids: input(t, "ids") }, {});
    },
    expected: (i) => affine.embedding(input(i, "weight"), input(i, "ids")),
  }),
);

const normCases = (
  [
    [[2, 3, 8], 1e-6, 1],
    [[5, 7], 0.5, 1],
    [[1, 1], 1e-5, 1],
    [[3, 4, 5], 1e-5, 300],
  ] as const
).flatMap(([shape, epsilon, scale]): OpCase[] => {
  const width = shape[shape.length - 1] as number;
  const x = normals(shape, "x", scale);
  const weight = normals([width], "weight");
  const bias = normals([width], "bias");
  const title = `[${shape}], epsilon ${epsilon}, scale ${scale}`;
  return [
    {
      op: "rmsNorm",
      title,
      inputs: { x, weight },
      differentiable: ["x", "weight"],
      run: (t) => rmsNorm(input(t, "x"), input(t, "weight") as tf.Tensor1D, epsilon),
      composed: (t) =>
        rmsNorm.definition.reference(t as { x: tf.Tensor; weight: tf.Tensor1D }, { epsilon }),
      expected: (i) => norms.rmsNorm(input(i, "x"), input(i, "weight"), epsilon),
    },
    {
      op: "layerNorm",
      title,
      inputs: { x, weight, bias },
      differentiable: ["x", "weight", "bias"],
      run: (t) => {
        const [w, b] = [input(t, "weight"), input(t, "bias")] as [tf.Tensor1D, tf.Tensor1D];
        return layerNorm(input(t, "x"), w, b, epsilon);
      },
      composed: (t) =>
        layerNorm.definition.reference(
          t as { x: tf.Tensor; weight: tf.Tensor1D; bias: tf.Tensor1D },
          { epsilon },
        ),
      expected: (i) =>
        norms.layerNorm(input(i, "x"), input(i, "weight"), input(i, "bias"), epsilon),
    },
  ];
});

const rotaryCases = (
  [
    [2, 3, 2, 6],
    [1, 1, 1, 2],
    [2, 5, 3, 4],
  ] as const
).map(([B, T, H, D]): OpCase => {
  const angles = normals([B, T, D / 2], "angles", 3).data;
  const table = (f: (angle: number) => number): NdArray =>
    fromValues([B, T, D / 2], angles.map(f).map(Math.fround));
  type RotaryTensors = { x: tf.Tensor4D; cos: tf.Tensor3D; sin: tf.Tensor3D };
  return {
    op: "rotary",
    title: `[${[B, T, H, D]}]`,
    inputs: { x: normals([B, T, H, D], "x"), cos: table(Math.cos), sin: table(Math.sin) },
    differentiable: ["x"],
    constants: ["cos", "sin"],
    run: (t) => {
      const { x, cos, sin } = t as RotaryTensors;
      return rotary(x, cos, sin);
    },
    composed: (t) => rotary.definition.reference(t as RotaryTensors, { inverse: false }),
    expected: (i) => rotaryReference(input(i, "x"), input(i, "cos"), input(i, "sin")),
  };
});

const activationCases = (
  [
    [[2, 3, 5], 1],
    [[1], 1],
    [[7, 4], 30],
  ] as const
).flatMap(([shape, scale]): OpCase[] => {
  const x = normals(shape, "x", scale);
  const title = `[${shape}], scale ${scale}`;
  const geluCase = (approximation: "tanh" | "none"): OpCase => ({
    op: "gelu",
    title: `${title}, approximation ${approximation}`,
    inputs: { x },
    differentiable: ["x"],
    run: (t) => gelu(input(t, "x"), { approximation }),
    composed: (t) => gelu.definition.reference({ x: input(t, "x") }, { approximation }),
    expected: (i) => activations.gelu(input(i, "x"), approximation),
  });
  return [
    geluCase("tanh"),
    geluCase("none"),
    {
      op: "silu",
      title,
      inputs: { x },
      differentiable: ["x"],
      run: (t) => silu(input(t, "x")),
      composed: (t) => silu.definition.reference({ x: input(t, "x") }, {}),
      expected: (i) => activations.silu(input(i, "x")),
    },
    {
      op: "swiglu",
      title,
      inputs: { gate: x, up: normals(shape, "up", scale) },
      differentiable: ["gate", "up"],
      run: (t) => swiglu(input(t, "gate"), input(t, "up")),
      composed: (t) =>
        swiglu.definition.reference({ gate: input(t, "gate"), up: input(t, "up") }, {}),
      expected: (i) => activations.swiglu(input(i, "gate"), input(i, "up")),
    },
  ];
});

export const layerCases: readonly OpCase[] = [
  ...linearCases,
  ...embeddingCases,
  ...normCases,
  ...rotaryCases,
  ...activationCases,
];
