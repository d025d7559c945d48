import type * as tf from "@tensorflow/tfjs";
import type { SamplingSettings } from "../../sample-tokens.js";
import { isFloat, registerWasmKernel } from "./registry.js";

export function registerSampling(): void {
  registerWasmKernel<{ logits: tf.TensorInfo; uniforms?: tf.TensorInfo }, SamplingSettings>(
    "PupilSampleTokens",
    ({ logits, uniforms }, { samplingTemperature, topK, topP, greedy }, backend) => {
      const { kernels } = backend.engine;
      const [rows, size] = logits.shape as [number, number];
      if (!isFloat(logits, uniforms)) return undefined;
      if (size === 0 || size > kernels.longestSampledRow()) return undefined;
      const out = backend.newTensor([2, rows], "float32");
      const random = greedy || uniforms === undefined ? 0 : backend.address(uniforms);
      const at = [backend.address(logits), random, backend.address(out)] as const;
      const limit = topK < size ? topK : 0;
      kernels.sample(...at, rows, size, greedy ? 1 : 1 / samplingTemperature, limit, topP);
      return out;
    },
  );
}
