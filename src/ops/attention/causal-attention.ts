import * as tf from "@tensorflow/tfjs-core";
import { assertShape } from "../../tensors/index.js";
import { defineKernel, defineOp } from "../define.js";

interface AttentionAttributes {
  readonly scale: number;
}
type AttentionInputs = {
  query: tf.Tensor4D;
  key: tf.Tensor4D;
  value: tf.Tensor4D;
  keyMask?: tf.Tensor2D;
  firstKeys?: tf.Tensor2D;
};
type Bounds = Pick<AttentionInputs, "keyMask" | "firstKeys">;

/**
 * 1 where query t may see key s, `[B or 1, 1, T, S]`; undefined if every query sees every key (one
 * query, no mask: a decoding step).
 */
function visibility(T: number, S: number, { keyMask, firstKeys }: Bounds): tf.Tensor | undefined {
  const keys = tf.range(0, S);
  const rules: tf.Tensor[] = [];
  if (T > 1) {
    const last = tf.range(S - T, S).reshape([T, 1]);
    rules.push(tf.lessEqual(keys, last).toFloat().reshape([1, 1, T, S]));
  }
  if (keyMask) rules.push(keyMask.toFloat().reshape([-1, 1, 1, S]));
  if (firstKeys) {
    const first = firstKeys.toFloat().reshape([-1, 1, T, 1]);
    rules.push(tf.greaterEqual(keys, first).toFloat());
  }
  return rules.length === 0 ? undefined : rules.reduce((all, rule) => all.mul(rule));
}

/** Probabilities `[B, H, T, S]` from scores; a query that sees nothing gets zeros. */
function maskedSoftmax(scores: tf.Tensor4D, bounds: Bounds): tf.Tensor4D {
  const [, , T, S] = scores.shape;
  const visible = visibility(T, S, bounds);
  if (visible === undefined) return tf.softmax(scores);
  const probabilities = tf.softmax(scores.add(visible.sub(1).mul(1e9)) as tf.Tensor4D);
  // Every query sees its own key unless a mask or a bound forbids it.
  const { keyMask, firstKeys } = bounds;
  return keyMask || firstKeys ? probabilities.mul(visible) : probabilities;
}

/** `[B, T, H, hd]` to `[B, Hkv, (H/Hkv)·T, hd]`: the queries that share a key head, in one matrix. */
function groupHeads(x: tf.Tensor4D, keyHeads: number): tf.Tensor4D {
  const [B, T, H, hd] = x.shape;
  return x.transpose([0, 2, 1, 3]).reshape([B, keyHeads, (H / keyHeads) * T, hd]);
}

/** The way back from {@link groupHeads}. */
function ungroupHeads(x: tf.Tensor, heads: number): tf.Tensor4D {
  const [B, keyHeads, rows, hd] = x.shape as [number, number, number, number];
  const T = (rows * keyHeads) / heads;
  const split = x.reshape([B, heads, T, hd]) as tf.Tensor4D;
  return split.transpose([0, 2, 1, 3]);
}

/** Probabilities `[B, H, T, S]`. */
function attend(
  { query, key, ...bounds }: Omit<AttentionInputs, "value">,
  { scale }: AttentionAttributes,
): tf.Tensor4D {
  const [B, T, H] = query.shape;
  const [, S, keyHeads] = key.shape;
  const grouped = groupHeads(query, keyHeads).mul(scale);
  const scores = tf.matMul(grouped, key.transpose([0, 2, 3, 1]));
  return maskedSoftmax(scores.reshape([B, H, T, S]), bounds);
}

function compute(
  { value, ...others }: AttentionInputs,
  attributes: AttentionAttributes,
): { output: tf.Tensor4D; probabilities: tf.Tensor4D } {
  const [, T, H] = others.query.shape;
  const [B, S, keyHeads] = value.shape;
  const probabilities = attend(others, attributes);
  const mixed = tf.matMul(
    probabilities.reshape([B, keyHeads, (H / keyHeads) * T, S]),
    value.transpose([0, 2, 1, 3]),
  );
  return { output: ungroupHeads(mixed, H), probabilities };
}

/**
 * `[dquery, dkey, dvalue]`; `probabilities`, and `output` if there is one, are what the forward kernel
 * saved.
 */
const gradient = defineKernel<
  AttentionInputs & { dy: tf.Tensor4D; probabilities: tf.Tensor; output?: tf.Tensor },
  AttentionAttributes
>("PupilCausalAttentionGrad", ({ dy, query, key, value, probabilities }, { scale }) => {
  const [B, T, H] = query.shape;
  const [, S, keyHeads] = key.shape;
  const p = probabilities.reshape([B, keyHeads, (H / keyHeads) * T, S]);
  const doutput = groupHeads(dy, keyHeads);
  const dp = tf.matMul(doutput, value.transpose([0, 2, 3, 1]));
  const pdp = p.mul(dp);
  // ds = p (dp − Σ p dp), without a third product of that size
  const ds = pdp.sub(p.mul(pdp.sum(-1, true)));
  const grouped = groupHeads(query, keyHeads).mul(scale);
  const dquery = tf.matMul(ds, key.transpose([0, 2, 1, 3])).mul(scale);
  const dkey = tf.matMul(ds, grouped, true, false);
  const dvalue = tf.matMul(p, doutput, true, false);
  return [ungroupHeads(dquery, H), ungroupHeads(dkey, keyHeads), ungroupHeads(dvalue, keyHeads)];
});

const op = defineOp<AttentionInputs, AttentionAttributes>({
  name: "PupilCausalAttention",
  reference: (inputs, attributes) => compute(inputs, attributes).output,
  forward: (inputs, attributes) => {
    const { output, probabilities } = compute(inputs, attributes);
    return [output, probabilities];
  },
  gradients: (dy, { inputs, extras: [probabilities, output] }, { scale }) => {
    const saved = { probabilities: probabilities as tf.Tensor, ...(output && { output }) };
    const [dquery, dkey, dvalue] = gradient(
      { dy: dy as tf.Tensor4D, ...inputs, ...saved },
      { scale },
    );
    return {
      query: () => dquery as tf.Tensor,
      key: () => dkey as tf.Tensor,
      value: () => dvalue as tf.Tensor,
      keyMask: () => tf.zerosLike(inputs.keyMask as tf.Tensor).toFloat(),
      firstKeys: () => tf.zerosLike(inputs.firstKeys as tf.Tensor).toFloat(),
    };
  },
});

/**
 * Causal attention with grouped-query heads: `softmax(scale · q kᵀ + mask) v` per head.
 *
 * query `[B, T, H, hd]`, key and value `[B, S, Hkv, hd]` with `H` a multiple of `Hkv` (query head h
 * reads key head ⌊h·Hkv/H⌋), result `[B, T, H, hd]`. The queries are the last T of S positions: query
 * t sees the keys `s ≤ S − T + t` whose `keyMask` `[B, S]` is 1. A query that sees no key gives 0,
 * with gradient 0. Scale is `1/√hd` by default.
 *
 * `firstKeys` `[B, T]` int32 bounds them from below: query t sees only keys `s ≥ firstKeys[b, t]`.
 * That makes the attention block-diagonal for sequences packed into a row (where each one starts), or
 * a sliding window of W keys (`S − T + t − W + 1`), or both (the larger one). The engine skips blocks
 * of keys that no query of a block sees; the composed kernel masks them.
 *
 * Source: Vaswani et al. 2017, arXiv 1706.03762; Ainslie et al. 2023, arXiv 2305.13245 (groups).
 */
export function causalAttention(
  query: tf.Tensor4D,
  key: tf.Tensor4D,
  value: tf.Tensor4D,
  keyMask?: tf.Tensor2D,
  options: { readonly scale?: number; readonly firstKeys?: tf.Tensor2D } = {},
): tf.Tensor4D {
  const { firstKeys } = options;
  const bounds = { ...(keyMask && { keyMask }), ...(firstKeys && { firstKeys }) };
  const inputs = { query, key, value, ...bounds };
  const sizes = assertShape(inputs, {
    ...{ query: "B T H D", key: "B S K D", value: "B S K D" },
    ...(keyMask && { keyMask: "B S" }),
    ...(firstKeys && { firstKeys: "B T" }),
  }) as Record<"T" | "H" | "S" | "K" | "D", number>;
  if (sizes.H % sizes.K !== 0) {
    throw new Error(
      `causalAttention: ${sizes.H} query heads do not divide into ${sizes.K} groups.`,
    );
  }
  if (sizes.T > sizes.S) {
    throw new Error(`causalAttention: ${sizes.T} queries but only ${sizes.S} keys.`);
  }
  if (firstKeys && firstKeys.dtype !== "int32") {
    throw new Error(`causalAttention: firstKeys must be int32, got ${firstKeys.dtype}.`);
  }
  const { scale = 1 / Math.sqrt(sizes.D) } = options;
  return op(inputs, { scale }) as tf.Tensor4D;
}

causalAttention.definition = op.definition;

/**
 * The probabilities `[B, H, T, S]` of {@link causalAttention}: `softmax(scale · q kᵀ + mask)`. Composed
 * and differentiable, for losses that compare them; the fused op gives none.
 */
export function attentionProbabilities(
  query: tf.Tensor4D,
  key: tf.Tensor4D,
  keyMask?: tf.Tensor2D,
  options: { readonly scale?: number; readonly firstKeys?: tf.Tensor2D } = {},
): tf.Tensor4D {
  const { firstKeys, scale = 1 / Math.sqrt(query.shape[3]) } = options;
  const bounds = { ...(keyMask && { keyMask }), ...(firstKeys && { firstKeys }) };
  return tf.tidy(() => attend({ query, key, ...bounds }, { scale }));
}
