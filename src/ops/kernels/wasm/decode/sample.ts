import type * as tf from "@tensorflow/tfjs-core";
import type { SamplingSettings } from "../../../sampling/sample-tokens.js";
import type { WasmEngine } from "../engine/engine.js";
import { isFloat, registerWasmKernel } from "../registry.js";

/** Addresses; uniforms 0 for a greedy choice. */
interface SampledPlaces {
  readonly logits: number;
  readonly uniforms: number;
  readonly out: number;
}

/** One token for each of `rows` rows of `size` logits. */
export function sampleRows(
  { kernels }: WasmEngine,
  { samplingTemperature, topK, topP, greedy }: SamplingSettings,
  { logits, uniforms, out }: SampledPlaces,
  rows: number,
  size: number,
): void {
  const inverse = greedy ? 1 : 1 / samplingTemperature;
  const limit = topK < size ? topK : 0;
  kernels.sample(logits, greedy ? 0 : uniforms, out, rows, size, inverse, limit, topP);
}

export function registerSampling(): void {
  registerWasmKernel<{ logits: tf.TensorInfo; uniforms?: tf.TensorInfo }, SamplingSettings>(
    "PupilSampleTokens",
    ({ logits, uniforms }, settings, backend) => {
      const { engine } = backend;
      const [rows, size] = logits.shape as [number, number];
      if (!isFloat(logits, uniforms)) return undefined;
      if (size === 0 || size > engine.kernels.longestSampledRow()) return undefined;
      const out = backend.newTensor([2, rows], "float32");
      const places = {
        logits: backend.address(logits),
        uniforms: uniforms ? backend.address(uniforms) : 0,
        out: backend.address(out),
      };
      sampleRows(engine, settings, places, rows, size);
      return out;
    },
  );
}
