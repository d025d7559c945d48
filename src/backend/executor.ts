import * as tf from "@tensorflow/tfjs-core";
import { WasmBackend } from "./wasm/index.js";

/**
 * What computes now, as far as it decides the bits of a result: `wasm: AVX-512`, `wasm: relaxed SIMD`,
 * `cpu`. A run is continued bit for bit only on what began it.
 */
export function currentExecutor(): string {
  const name = tf.getBackend();
  const backend = tf.backend();
  if (!(backend instanceof WasmBackend)) return name;
  const { build, executor, executorDescription } = backend.engine;
  if (executor !== "wasm") return `${name}: ${executorDescription}`;
  return `${name}: ${build === "relaxed" ? "relaxed SIMD" : "SIMD"}`;
}
