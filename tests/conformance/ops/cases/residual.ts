import type * as tf from "@tensorflow/tfjs-core";
import {
  residualAttention,
  type ResidualAttentionInputs,
  residualMlp,
  type ResidualMlpInputs,
} from "../../../../src/ops/index.js";
import * as activations from "../reference/activations.js";
import { at, fromValues, type NdArray } from "../reference/array.js";
import { causalAttention } from "../reference/attention.js";
import { linear } from "../reference/linear.js";
import { layerNorm, rmsNorm } from "../reference/norms.js";
import { rotary } from "../reference/rotary.js";
import { input, normals, type OpCase } from "./op-case.js";

type Arrays = Readonly<Record<string, NdArray>>;
type Layout = "out-in" | "in-out";
const epsilon = 1e-5;

/** A weight `<name>Weight` and, if wanted, a bias, small enough for sums of order 1. */
function affine(
  name: string,
  [inputs, outputs]: readonly [number, number],
  { weightLayout, hasBias }: { weightLayout: Layout; hasBias: boolean },
): Arrays {
  const shape = weightLayout === "out-in" ? [outputs, inputs] : [inputs, outputs];
  return {
    [`${name}Weight`]: normals(shape, `${name}Weight`, 1 / Math.sqrt(inputs)),
    ...(hasBias && { [`${name}Bias`]: normals([outputs], `${name}Bias`, 0.3) }),
  };
}

function norm(i: Arrays): NdArray {
  const [x, weight, bias] = [input(i, "x"), input(i, "normWeight"), i["normBias"]];
  return bias ? layerNorm(x, weight, bias, epsilon) : rmsNorm(x, weight, epsilon);
}

function plus(a: NdArray, b: NdArray): NdArray {
  return { shape: a.shape, data: a.data.map((value, i) => value + at(b, i)) };
}

/** x `[2, 3, 6]` in front of a norm. */
const residual = (hasBias: boolean): Arrays => ({
  x: normals([2, 3, 6], "residual"),
  normWeight: normals([6], "normWeight"),
  ...(hasBias && { normBias: normals([6], "normBias") }),
});

const mlpCases = (
  [
    ["silu", true, "out-in", false],
    ["silu", true, "in-out", true],
    ["silu", false, "out-in", false],
    ["gelu-tanh", false, "in-out", true],
    ["gelu-erf", false, "out-in", true],
  ] as const
).map(([activation, isGated, weightLayout, hasBias]): OpCase => {
  const settings = { weightLayout, hasBias };
  const inputs = {
    ...residual(hasBias),
    ...(isGated && affine("gate", [6, 11], settings)),
    ...affine("up", [6, 11], settings),
    ...affine("down", [11, 6], settings),
  };
  const attributes = { activation, weightLayout, epsilon };
  const expected = (i: Arrays) => {
    const normed = norm(i);
    const project = (name: string, x: NdArray) =>
      linear(x, input(i, `${name}Weight`), i[`${name}Bias`], weightLayout);
    const up = project("up", normed);
    const activated = isGated
      ? activations.swiglu(project("gate", normed), up)
      : activation === "silu"
        ? activations.silu(up)
        : activations.gelu(up, activation === "gelu-tanh" ? "tanh" : "none");
    return plus(input(i, "x"), project("down", activated));
  };
  return {
    op: "residualMlp",
    title: `${isGated ? "gated, " : ""}${activation}, ${weightLayout}, ${hasBias ? "layer norm, biases" : "RMS norm"}`,
    inputs,
    differentiable: Object.keys(inputs),
    run: (t) => residualMlp(t as unknown as ResidualMlpInputs, attributes),
    composed: (t) =>
      residualMlp.definition.reference(t as unknown as ResidualMlpInputs, attributes),
    expected,
  };
});

const tables = ["cos", "sin"] as const;

interface AttentionSettings {
  readonly title: string;
  readonly heads: readonly [H: number, K: number];
  readonly weightLayout: Layout;
  readonly turns: boolean;
  readonly hasBias: boolean;
  readonly hasBounds: boolean;
}

const plain = { weightLayout: "out-in", turns: true, hasBias: false, hasBounds: false } as const;
const attentionCases = (
  [
    { ...plain, title: "rotary, groups", heads: [4, 2] },
    { ...plain, title: "biases, layer norm", heads: [2, 2], weightLayout: "in-out", hasBias: true },
    { ...plain, title: "masks, no rotary", heads: [2, 1], turns: false, hasBounds: true },
  ] satisfies AttentionSettings[]
).map(({ title, heads, weightLayout, turns, hasBias, hasBounds }: AttentionSettings): OpCase => {
  const [H, K] = heads;
  const [B, T, headDim] = [2, 3, 4];
  const settings = { weightLayout, hasBias };
  const parameters = {
    ...residual(hasBias),
    ...affine("query", [6, H * headDim], settings),
    ...affine("key", [6, K * headDim], settings),
    ...affine("value", [6, K * headDim], settings),
    ...affine("output", [H * headDim, 6], settings),
  };
  const table = (f: (angle: number) => number) =>
    fromValues(
      [B, T, headDim / 2],
      Array.from({ length: (B * T * headDim) / 2 }, (_, i) => Math.fround(f(i / 3))),
    );
  const inputs: Arrays = {
    ...parameters,
    ...(turns && { cos: table(Math.cos), sin: table(Math.sin) }),
    ...(hasBounds && {
      keyMask: fromValues([B, T], [1, 1, 0, 0, 1, 1]),
      firstKeys: fromValues([B, T], [0, 1, 1, 0, 0, 2]),
    }),
  };
  const expected = (i: Arrays) => {
    const normed = norm(i);
    const project = (name: string, x: NdArray) =>
      linear(x, input(i, `${name}Weight`), i[`${name}Bias`], weightLayout);
    const split = (name: string, count: number): NdArray => ({
      shape: [B, T, count, headDim],
      data: project(name, normed).data,
    });
    const turn = (x: NdArray) => (turns ? rotary(x, input(i, "cos"), input(i, "sin")) : x);
    const attended = causalAttention(
      ...([turn(split("query", H)), turn(split("key", K)), split("value", K)] as const),
      ...([i["keyMask"], 1 / Math.sqrt(headDim), i["firstKeys"]] as const),
    );
    const merged = { shape: [B, T, H * headDim], data: attended.data };
    return plus(input(i, "x"), project("output", merged));
  };
  const attributes = { epsilon, headDim, weightLayout };
  return {
    op: "residualAttention",
    title,
    inputs,
    ...(hasBounds && { int32: ["firstKeys"] }),
    differentiable: Object.keys(parameters),
    // Without tables a bias of the keys would have no gradient: it adds the same to all scores of a query.
    constants: tables.filter(() => turns),
    run: (t: Record<string, tf.Tensor>) =>
      residualAttention(t as unknown as ResidualAttentionInputs, attributes),
    composed: (t) =>
      residualAttention.definition.reference(t as unknown as ResidualAttentionInputs, attributes),
    expected,
  };
});

export const residualCases: readonly OpCase[] = [...mlpCases, ...attentionCases];
