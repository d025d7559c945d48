import type * as tf from "@tensorflow/tfjs-core";
import { causalAttention } from "../../../../src/ops/index.js";
import { fromValues } from "../reference/array.js";
import * as reference from "../reference/attention.js";
import { input, normals, type OpCase } from "./op-case.js";

interface Sizes {
  readonly B: number;
  readonly T: number;
  readonly S: number;
  readonly H: number;
  readonly keyHeads: number;
  readonly width: number;
}
type Tensors = {
  query: tf.Tensor4D;
  key: tf.Tensor4D;
  value: tf.Tensor4D;
  keyMask?: tf.Tensor2D;
  firstKeys?: tf.Tensor2D;
};

function attentionCase(
  title: string,
  sizes: Sizes,
  options: {
    keyMask?: readonly number[];
    firstKeys?: readonly number[];
    scale?: number;
    spread?: number;
  } = {},
): OpCase {
  const { B, T, S, H, keyHeads, width } = sizes;
  const { keyMask, firstKeys, spread = 1 } = options;
  const scale = options.scale ?? 1 / Math.sqrt(width);
  return {
    op: "causalAttention",
    title: `${title} ${JSON.stringify(sizes)}`,
    inputs: {
      query: normals([B, T, H, width], "query", spread),
      key: normals([B, S, keyHeads, width], "key", spread),
      value: normals([B, S, keyHeads, width], "value"),
      ...(keyMask && { keyMask: fromValues([B, S], keyMask) }),
      ...(firstKeys && { firstKeys: fromValues([B, T], firstKeys) }),
    },
    int32: ["firstKeys"],
    differentiable: ["query", "key", "value"],
    constants: [...(keyMask ? ["keyMask"] : []), ...(firstKeys ? ["firstKeys"] : [])],
    run: (t) => {
      const { query, key, value, keyMask: mask, firstKeys: first } = t as Tensors;
      const given = {
        ...(options.scale !== undefined && { scale }),
        ...(first && { firstKeys: first }),
      };
      return causalAttention(query, key, value, mask, given);
    },
    composed: (t) => causalAttention.definition.reference(t as Tensors, { scale }),
    expected: (i) =>
      reference.causalAttention(
        input(i, "query"),
        input(i, "key"),
        input(i, "value"),
        i["keyMask"],
        scale,
        i["firstKeys"],
      ),
  };
}

const small = { B: 2, T: 5, S: 5, H: 2, keyHeads: 2, width: 4 };

export const attentionCases: readonly OpCase[] = [
  attentionCase("plain", small),
  attentionCase("one of everything", { B: 1, T: 1, S: 1, H: 1, keyHeads: 1, width: 1 }),
  attentionCase("own scale", small, { scale: 0.3 }),
  attentionCase("groups", { B: 2, T: 3, S: 3, H: 6, keyHeads: 2, width: 3 }),
  attentionCase("cache", { B: 2, T: 3, S: 7, H: 4, keyHeads: 2, width: 3 }),
  attentionCase("one decoded token", { B: 2, T: 1, S: 6, H: 4, keyHeads: 1, width: 5 }),
  attentionCase(
    "one decoded token with padding",
    { B: 2, T: 1, S: 4, H: 2, keyHeads: 1, width: 3 },
    { keyMask: [0, 0, 1, 1, 0, 0, 0, 0] },
  ),
  attentionCase("right padding", small, { keyMask: [1, 1, 1, 0, 0, 1, 1, 1, 1, 1] }),
  attentionCase("left padding: queries that see nothing", small, {
    keyMask: [0, 0, 1, 1, 1, 0, 1, 1, 1, 1],
  }),
  attentionCase(
    "a row without any key, groups, cache",
    { B: 2, T: 2, S: 3, H: 4, keyHeads: 2, width: 3 },
    { keyMask: [0, 0, 0, 1, 0, 1] },
  ),
  attentionCase("scores in the tens", small, { spread: 4 }),
  attentionCase("sequences packed into a row", small, {
    firstKeys: [0, 0, 2, 2, 2, 0, 1, 1, 1, 4],
  }),
  attentionCase(
    "packed, padded, groups",
    { B: 1, T: 6, S: 6, H: 4, keyHeads: 2, width: 3 },
    { firstKeys: [0, 0, 2, 2, 4, 5], keyMask: [1, 1, 1, 1, 0, 0] },
  ),
  attentionCase(
    "a window of two keys, cache, left padding",
    { B: 2, T: 4, S: 7, H: 2, keyHeads: 1, width: 5 },
    { firstKeys: [2, 3, 4, 5, 2, 3, 4, 5], keyMask: [1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1] },
  ),
  attentionCase(
    "bounds below 0 and beyond the last key",
    { B: 1, T: 4, S: 5, H: 2, keyHeads: 2, width: 4 },
    { firstKeys: [9, -3, 4, 1] },
  ),
  attentionCase(
    "no query sees a key",
    { B: 1, T: 4, S: 4, H: 2, keyHeads: 1, width: 2 },
    { firstKeys: [5, 5, 5, 5] },
  ),
  attentionCase(
    "one decoded token in a window",
    { B: 2, T: 1, S: 6, H: 4, keyHeads: 2, width: 5 },
    { firstKeys: [3, 6] },
  ),
];
