import * as tf from "@tensorflow/tfjs-core";
import {
  causalAttention,
  gelu,
  layerNorm,
  linear,
  type MlpActivation,
  rmsNorm,
  rotary,
  silu,
  swiglu,
} from "../../ops/index.js";
import type { ModelConfig } from "./config.js";
import type { Activation, Family } from "../families/index.js";
import type { AffineSpec, BlockSpec, ParameterSpec } from "./layout.js";
import type { LayerObserver } from "./layer-states.js";
import { type AdapterChoice, applyLora, mergedWeight } from "../lora/index.js";
import type { RotaryTables } from "./rotary-positions.js";
import type { KeyValueCache } from "./types.js";

/** What every layer reads: the configuration, the family's data, the parameters, the adapter. */
export interface LayerContext {
  readonly config: ModelConfig;
  readonly family: Family;
  parameter<R extends tf.Rank>(spec: ParameterSpec): tf.Tensor<R>;
  readonly adapters: AdapterChoice;
}

/** What attention needs to know about the positions of a forward pass. */
export interface AttentionInputs {
  /** Absent with learned positions. */
  readonly rotaryTables?: RotaryTables;
  /** `[B, S]`. */
  readonly keyMask?: tf.Tensor2D;
  /** `[B, T]` int32: the first key that each query of this layer sees. */
  readonly firstKeys?: tf.Tensor2D;
  readonly cache?: KeyValueCache;
  readonly observer?: LayerObserver;
}

/** What each name means. */
export const activationKinds: Record<Activation, MlpActivation> = {
  ...{ silu: "silu", gelu: "gelu-erf" },
  ...{ gelu_new: "gelu-tanh", gelu_pytorch_tanh: "gelu-tanh" },
};

const activationFunctions: Record<MlpActivation, (x: tf.Tensor) => tf.Tensor> = {
  silu: (x) => silu(x),
  "gelu-erf": (x) => gelu(x, { approximation: "none" }),
  "gelu-tanh": (x) => gelu(x, { approximation: "tanh" }),
};

/** The norm of the family over the last axis. */
export function applyNorm(context: LayerContext, spec: AffineSpec, x: tf.Tensor): tf.Tensor {
  const weight = context.parameter<tf.Rank.R1>(spec.weight);
  const { normEpsilon } = context.config;
  return spec.bias
    ? layerNorm(x, weight, context.parameter<tf.Rank.R1>(spec.bias), normEpsilon)
    : rmsNorm(x, weight, normEpsilon);
}

/** A linear projection, and what the adapter adds to it. */
export function applyLinear(context: LayerContext, spec: AffineSpec, x: tf.Tensor): tf.Tensor {
  const bias = spec.bias ? context.parameter<tf.Rank.R1>(spec.bias) : undefined;
  const { weightLayout } = context.family;
  const y = linear(x, context.parameter<tf.Rank.R2>(spec.weight), bias, { weightLayout });
  const lora = context.adapters.layerOf(spec.weight.name);
  return lora ? y.add(applyLora(lora, x)) : y;
}

/**
 * The weight that {@link applyLinear} amounts to: the parameter itself, or a new tensor where an
 * adapter adds to it.
 */
export function projectionWeight(context: LayerContext, spec: ParameterSpec): tf.Tensor2D {
  const weight = context.parameter<tf.Rank.R2>(spec);
  const lora = context.adapters.layerOf(spec.name);
  return lora ? mergedWeight(weight, lora, context.family.weightLayout) : weight;
}

/** Causal self-attention of one block, `[B, T, D]` to `[B, T, D]`; appends to the cache. */
export function applyAttention(
  context: LayerContext,
  block: BlockSpec,
  layer: number,
  x: tf.Tensor3D,
  { rotaryTables, keyMask, firstKeys, cache, observer }: AttentionInputs,
): tf.Tensor3D {
  const { numHeads, numKeyValueHeads, headDim } = context.config;
  const [batch, length] = x.shape;
  const projected = block.attentionInputs.map((spec) => applyLinear(context, spec, x));
  const fused = projected.length === 1 ? projected[0] : undefined;
  const [q, k, v] = (fused ? tf.split(fused, 3, -1) : projected) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const heads = (t: tf.Tensor, count: number) =>
    t.reshape([batch, length, count, headDim]) as tf.Tensor4D;
  const norm = (t: tf.Tensor4D, spec: AffineSpec | undefined) =>
    (spec ? applyNorm(context, spec, t) : t) as tf.Tensor4D;
  const turn = (t: tf.Tensor4D) =>
    rotaryTables ? rotary(t, rotaryTables.cos, rotaryTables.sin) : t;

  const query = turn(norm(heads(q, numHeads), block.queryNorm));
  const newKey = turn(norm(heads(k, numKeyValueHeads), block.keyNorm));
  const newValue = heads(v, numKeyValueHeads);
  const { key, value } = cache?.append(layer, newKey, newValue) ?? { key: newKey, value: newValue };
  observer?.attention(layer + 1, { query, key, value, keyMask, firstKeys });
  const attended = causalAttention(query, key, value, keyMask, firstKeys && { firstKeys });
  const merged = attended.reshape([batch, length, numHeads * headDim]);
  return applyLinear(context, block.attentionOutput, merged) as tf.Tensor3D;
}

/** The MLP of one block: `down(act(up x))`, or `down(act(gate x) · up x)` where it is gated. */
export function applyMlp(context: LayerContext, block: BlockSpec, x: tf.Tensor3D): tf.Tensor3D {
  const [first, up] = block.mlpInputs.map((spec) => applyLinear(context, spec, x));
  const activated = up
    ? swiglu(first as tf.Tensor, up)
    : activationFunctions[activationKinds[context.config.activation]](first as tf.Tensor);
  return applyLinear(context, block.mlpOutput, activated) as tf.Tensor3D;
}
