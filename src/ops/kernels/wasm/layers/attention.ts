import type * as tf from "@tensorflow/tfjs-core";
import { registerWasmKernel } from "../registry.js";
import { addresses } from "./transformer.js";

type Info = tf.TensorInfo;
type Inputs = { query: Info; key: Info; value: Info; keyMask?: Info; firstKeys?: Info };

function sizes({ query, key }: Inputs): [number, number, number, number, number, number] {
  const [B, T, H, headDim] = query.shape as [number, number, number, number];
  const [, S, K] = key.shape as [number, number, number];
  return [B, T, S, H, K, headDim];
}

export function registerAttention(): void {
  registerWasmKernel<Inputs, { scale: number }>(
    "PupilCausalAttention",
    (inputs, { scale }, backend) => {
      const { query, key, value, keyMask, firstKeys } = inputs;
      if (keyMask !== undefined && keyMask.dtype !== "float32") return undefined;
      const [B, T, S, H, K, headDim] = sizes(inputs);
      const output = backend.newTensor(query.shape, "float32");
      const probabilities = backend.newTensor([B, H, T, S], "float32");
      const [q, k, v, out, p] = addresses(backend, query, key, value, output, probabilities);
      const mask = keyMask ? backend.address(keyMask) : 0;
      const first = firstKeys ? backend.address(firstKeys) : 0;
      backend.engine.kernels.attention(
        ...([q, k, v, mask, first, out, p] as const),
        ...([B, T, S, H, K, headDim, scale] as const),
      );
      return [output, probabilities];
    },
  );
  registerWasmKernel<Inputs & { dy: Info; probabilities: Info }, { scale: number }>(
    "PupilCausalAttentionGrad",
    (inputs, { scale }, backend) => {
      const { dy, query, key, value, probabilities, firstKeys } = inputs;
      const [B, T, S, H, K, headDim] = sizes(inputs);
      const { kernels, allocator } = backend.engine;
      const dquery = backend.newTensor(query.shape, "float32");
      const dkey = backend.newTensor(key.shape, "float32");
      const dvalue = backend.newTensor(value.shape, "float32");
      const [ady, q, k, v, p] = addresses(backend, dy, query, key, value, probabilities);
      const [dq, dk, dv] = addresses(backend, dquery, dkey, dvalue);
      const bytes = kernels.attentionBlockBytes(S) * B * K;
      const blocks = bytes > 0 ? allocator.allocate(bytes) : undefined;
      const address = blocks?.address ?? 0;
      kernels.attentionGrad(
        ...([ady, q, k, v, p, firstKeys ? backend.address(firstKeys) : 0] as const),
        ...([dq, dk, dv, address] as const),
        ...([B, T, S, H, K, headDim, scale] as const),
      );
      if (blocks) allocator.release(blocks);
      return [dquery, dkey, dvalue];
    },
  );
}
