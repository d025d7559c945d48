import * as tf from "@tensorflow/tfjs-core";
import { causalAttention } from "./causal-attention.js";
import { defineKernel, defineOp } from "../define.js";
import { linear, type WeightLayout } from "../layers/linear.js";
import {
  residualNorm,
  residualNormGradients,
  type ResidualNormInputs,
  savedByNorm,
} from "../layers/residual-norm.js";
import { rotary } from "./rotary.js";

export interface ResidualAttentionAttributes {
  readonly epsilon: number;
  readonly headDim: number;
  readonly weightLayout: WeightLayout;
}

/** Weights in the layout of the attributes; `cos` and `sin`, `[B, T, hd/2]`, turn queries and keys. */
export type ResidualAttentionInputs = ResidualNormInputs & {
  queryWeight: tf.Tensor2D;
  queryBias?: tf.Tensor1D;
  keyWeight: tf.Tensor2D;
  keyBias?: tf.Tensor1D;
  valueWeight: tf.Tensor2D;
  valueBias?: tf.Tensor1D;
  outputWeight: tf.Tensor2D;
  outputBias?: tf.Tensor1D;
  cos?: tf.Tensor3D;
  sin?: tf.Tensor3D;
  keyMask?: tf.Tensor2D;
  firstKeys?: tf.Tensor2D;
};

/** What the forward kernel saves, by name: queries and keys as turned. */
export function savedByAttention(inputs: ResidualAttentionInputs): string[] {
  return [...savedByNorm(inputs), "query", "key", "value", "probabilities", "attended"];
}

/** The parameters, in the order of the gradient kernel's outputs, which begin with that of x. */
export function attentionParameters(
  inputs: ResidualAttentionInputs,
): (keyof ResidualAttentionInputs)[] {
  const names = [
    ...(["normWeight", "normBias", "queryWeight", "queryBias", "keyWeight", "keyBias"] as const),
    ...(["valueWeight", "valueBias", "outputWeight", "outputBias"] as const),
  ];
  return names.filter((name) => inputs[name] !== undefined);
}

const constants = ["cos", "sin", "keyMask", "firstKeys"] as const;
const { definition: affine } = linear;

function project(x: tf.Tensor, weight: tf.Tensor2D, bias: tf.Tensor1D | undefined) {
  return { x, weight, ...(bias && { bias }) };
}

/** Turned by the angles of the tables, or back. */
function turn(
  x: tf.Tensor4D,
  { cos, sin }: ResidualAttentionInputs,
  options: { readonly inverse: boolean },
): tf.Tensor4D {
  if (!cos || !sin) return x;
  return rotary.definition.forward({ x, cos, sin }, options)[0] as tf.Tensor4D;
}

function forward(
  inputs: ResidualAttentionInputs,
  { epsilon, headDim, weightLayout }: ResidualAttentionAttributes,
): tf.Tensor[] {
  const { x, keyMask, firstKeys } = inputs;
  const [batch, length] = x.shape as [number, number];
  const [normed, ...statistics] = residualNorm(inputs, epsilon) as [tf.Tensor, ...tf.Tensor[]];
  const apply = (...given: Parameters<typeof project>) =>
    affine.forward(project(...given), { weightLayout })[0] as tf.Tensor;
  const heads = (...given: Parameters<typeof project>) =>
    apply(...given).reshape([batch, length, -1, headDim]) as tf.Tensor4D;
  const forth = { inverse: false };
  const query = turn(heads(normed, inputs.queryWeight, inputs.queryBias), inputs, forth);
  const key = turn(heads(normed, inputs.keyWeight, inputs.keyBias), inputs, forth);
  const value = heads(normed, inputs.valueWeight, inputs.valueBias);
  const bounds = { ...(keyMask && { keyMask }), ...(firstKeys && { firstKeys }) };
  const [mixed, probabilities] = causalAttention.definition.forward(
    { query, key, value, ...bounds },
    { scale: 1 / Math.sqrt(headDim) },
  ) as [tf.Tensor, tf.Tensor];
  const attended = mixed.reshape([batch, length, -1]);
  const y = x.add(apply(attended, inputs.outputWeight, inputs.outputBias));
  return [y, normed, ...statistics, query, key, value, probabilities, attended];
}

type Saved = {
  dy: tf.Tensor;
  normed: tf.Tensor;
  mean?: tf.Tensor;
  scale: tf.Tensor;
  query: tf.Tensor4D;
  key: tf.Tensor4D;
  value: tf.Tensor4D;
  probabilities: tf.Tensor;
  attended: tf.Tensor;
};

/** `[dx, ...those of the parameters]`. */
const gradient = defineKernel<ResidualAttentionInputs & Saved, ResidualAttentionAttributes>(
  "PupilResidualAttentionGrad",
  (inputs, { epsilon, headDim, weightLayout }) => {
    const { dy, normed, mean, scale, query, key, value, keyMask, firstKeys } = inputs;
    const back = (d: tf.Tensor, ...given: Parameters<typeof project>) => {
      const saved = { inputs: project(...given), extras: [] };
      const flat = d.reshape([...dy.shape.slice(0, -1), -1]);
      const gradients = affine.gradients(flat, saved, { weightLayout });
      const bias = given[2] && gradients.bias?.();
      return { x: gradients.x(), weight: gradients.weight(), bias };
    };
    const output = back(dy, inputs.attended, inputs.outputWeight, inputs.outputBias);
    const bounds = { ...(keyMask && { keyMask }), ...(firstKeys && { firstKeys }) };
    const ofHeads = causalAttention.definition.gradients(
      output.x.reshape(query.shape),
      { inputs: { query, key, value, ...bounds }, extras: [inputs.probabilities] },
      { scale: 1 / Math.sqrt(headDim) },
    );
    const turned = (d: tf.Tensor) => turn(d as tf.Tensor4D, inputs, { inverse: true });
    const ofQuery = back(turned(ofHeads.query()), normed, inputs.queryWeight, inputs.queryBias);
    const ofKey = back(turned(ofHeads.key()), normed, inputs.keyWeight, inputs.keyBias);
    const ofValue = back(ofHeads.value(), normed, inputs.valueWeight, inputs.valueBias);
    const dnormed = ofQuery.x.add(ofKey.x).add(ofValue.x);
    const ofNorm = residualNormGradients({ dy, dnormed }, inputs, { epsilon, mean, scale });
    const all: Record<string, tf.Tensor | undefined> = {
      ...ofNorm,
      ...{ queryWeight: ofQuery.weight, queryBias: ofQuery.bias },
      ...{ keyWeight: ofKey.weight, keyBias: ofKey.bias },
      ...{ valueWeight: ofValue.weight, valueBias: ofValue.bias },
      ...{ outputWeight: output.weight, outputBias: output.bias },
    };
    return ["x", ...attentionParameters(inputs)].map((name) => all[name] as tf.Tensor);
  },
);

const op = defineOp<ResidualAttentionInputs, ResidualAttentionAttributes>({
  name: "PupilResidualAttention",
  reference: (inputs, attributes) => forward(inputs, attributes)[0] as tf.Tensor,
  forward,
  gradients: (dy, { inputs, extras }, attributes) => {
    const saved = Object.fromEntries(savedByAttention(inputs).map((name, i) => [name, extras[i]]));
    const outputs = gradient({ dy, ...inputs, ...(saved as Omit<Saved, "dy">) }, attributes);
    const names = ["x", ...attentionParameters(inputs)];
    const zeros = constants.map((name) => [
      name,
      () => tf.zerosLike(inputs[name] as tf.Tensor).toFloat(),
    ]);
    const entries = names.map((name, i) => [name, () => outputs[i] as tf.Tensor]);
    return Object.fromEntries([...entries, ...zeros]) as {
      [K in keyof ResidualAttentionInputs]: () => tf.Tensor;
    };
  },
});

/**
 * A block of causal self-attention with its norm and its residual connection: `x + output(attention(query n,
 * key n, value n))` of `n = norm(x)`, queries and keys turned if there are tables; x `[B, T, D]`. Masks and
 * groups of heads are those of {@link causalAttention}; scale `1/√hd`. All gradients are computed together:
 * where parameters are frozen, its parts cost less.
 *
 * Source: Vaswani et al. 2017, arXiv 1706.03762, with the norm in front (Xiong et al. 2020, arXiv
 * 2002.04745).
 */
export function residualAttention(
  inputs: ResidualAttentionInputs,
  attributes: ResidualAttentionAttributes,
): tf.Tensor3D {
  return op(inputs, attributes) as tf.Tensor3D;
}

residualAttention.definition = op.definition;
