import * as tf from "@tensorflow/tfjs-core";
import { holdsHalves } from "../tensors/index.js";
import { WasmBackend } from "./wasm/index.js";

/**
 * What computes now, as far as it decides the bits of a result: `wasm: AVX-512`, `wasm: relaxed SIMD`,
 * `cpu`, `webgpu: frozen models in 16 bits`. A run is continued bit for bit only on what began it.
 */
export function currentExecutor(): string {
  const name = tf.getBackend();
  const backend = tf.backend();
  if (holdsHalves()) return `${name}: frozen models in 16 bits`;
  if (!(backend instanceof WasmBackend)) return name;
  const { build, executor, executorDescription } = backend.engine;
  if (executor !== "wasm") return `${name}: ${executorDescription}`;
  return `${name}: ${build === "relaxed" ? "relaxed SIMD" : "SIMD"}`;
}
