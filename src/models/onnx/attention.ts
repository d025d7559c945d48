import type { AffineSpec, BlockSpec } from "../decoder/layout.js";
import { attribute, type Value } from "./graph.js";
import { type GraphContext, linear, norm } from "./layers.js";
import { type RotaryValues, rotate } from "./rotary.js";

/** What attention reads besides its input; the same for every block. */
export interface AttentionValues {
  /** `[B, T]` as a vector. */
  readonly tokenShape: Value;
  /** `[B, 1, 1, T, S]`. */
  readonly scoreBias: Value;
  /** Absent with learned positions. */
  readonly rotary?: RotaryValues;
}

/** `[B, Hkv, S, hd]`. */
export interface KeyValue {
  readonly key: Value;
  readonly value: Value;
}

/**
 * Causal self-attention of one block on rows, `[N, D]` to `[N, D]`, N = B·T.
 *
 * @returns also the keys and values of all S = past + T positions
 */
export function attention(
  context: GraphContext,
  block: BlockSpec,
  x: Value,
  past: KeyValue,
  { tokenShape, scoreBias, rotary }: AttentionValues,
): { readonly output: Value; readonly present: KeyValue } {
  const { graph, config } = context;
  const { numHeads, numKeyValueHeads, headDim } = config;
  const groupSize = numHeads / numKeyValueHeads;

  // [N, H·hd] to [B, T, H, hd] to [B, H, T, hd]
  const heads = (rows: Value, count: number) => {
    const shape = graph.op(
      "Concat",
      [tokenShape, graph.ints(count, headDim)],
      attribute.int("axis", 0),
    );
    const split = graph.op("Reshape", [rows, shape]);
    return graph.op("Transpose", [split], attribute.ints("perm", 0, 2, 1, 3));
  };
  const normed = (t: Value, spec: AffineSpec | undefined) => (spec ? norm(context, spec, t) : t);
  const turn = (t: Value) => (rotary ? rotate(graph, headDim, t, rotary) : t);
  const grown = (before: Value, t: Value) =>
    graph.op("Concat", [before, t], attribute.int("axis", 2));

  const [q, k, v] = queryKeyValue(context, block, x);
  const query = turn(normed(heads(q, numHeads), block.queryNorm));
  const key = grown(past.key, turn(normed(heads(k, numKeyValueHeads), block.keyNorm)));
  const value = grown(past.value, heads(v, numKeyValueHeads));

  // Query head h reads key head ⌊h·Hkv/H⌋: an axis of the heads that share one, [B, Hkv, G, T, hd].
  const grouped = graph.op("Reshape", [
    query,
    graph.ints(0, numKeyValueHeads, groupSize, -1, headDim),
  ]);
  const scaled = graph.op("Mul", [grouped, graph.float(1 / Math.sqrt(headDim))]);
  const shared = (t: Value) => graph.op("Unsqueeze", [t, graph.ints(2)]);
  const transposed = graph.op("Transpose", [shared(key)], attribute.ints("perm", 0, 1, 2, 4, 3));
  // [B, Hkv, G, T, S]
  const scores = graph.op("Add", [graph.op("MatMul", [scaled, transposed]), scoreBias]);
  const probabilities = graph.op("Softmax", [scores], attribute.int("axis", -1));
  const mixed = graph.op("MatMul", [probabilities, shared(value)]);

  // [B, Hkv, G, T, hd] to [B, H, T, hd] to [B, T, H, hd] to [N, H·hd]
  const perHead = graph.op("Reshape", [mixed, graph.ints(0, numHeads, -1, headDim)]);
  const perToken = graph.op("Transpose", [perHead], attribute.ints("perm", 0, 2, 1, 3));
  const merged = graph.op("Reshape", [perToken, graph.ints(-1, numHeads * headDim)]);
  return {
    output: linear(context, block.attentionOutput, merged),
    present: { key, value },
  };
}

/** `[N, H·hd]`, `[N, Hkv·hd]` twice; a fused projection has the three side by side. */
function queryKeyValue(
  context: GraphContext,
  block: BlockSpec,
  x: Value,
): readonly [Value, Value, Value] {
  const { graph, config } = context;
  const projected = block.attentionInputs.map((spec) => linear(context, spec, x));
  if (projected.length === 3) return projected as [Value, Value, Value];
  const keyWidth = config.numKeyValueHeads * config.headDim;
  const widths = graph.ints(config.numHeads * config.headDim, keyWidth, keyWidth);
  const parts = graph.ops("Split", [projected[0] as Value, widths], 3, attribute.int("axis", 1));
  return parts as [Value, Value, Value];
}
