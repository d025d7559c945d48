import * as tf from "@tensorflow/tfjs";
import type { BackendCandidate } from "./candidate.js";
import { registerStockWasmKernels } from "./wasm-kernels/index.js";

/** The stock WebAssembly backend of tfjs, completed by the kernels that training needs. */
export const wasmCandidate: BackendCandidate = {
  name: "wasm",
  packages: ["@tensorflow/tfjs-backend-wasm"],
  remedy: "Reinstall the dependencies (npm ci); in a browser, serve the package's .wasm files.",
  async inspect({ cpu }) {
    const { getThreadsCount } = await import("@tensorflow/tfjs-backend-wasm");
    const simd = await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT");
    const device = `${cpu.model} (${simd ? "SIMD" : "no SIMD"})`;
    return { device, threads: isInitialized() ? getThreadsCount() : await expectedThreads(cpu) };
  },
  async start(platform, options) {
    // Registers the backend.
    await import("@tensorflow/tfjs-backend-wasm");
    if (!isInitialized()) {
      // By hand, because tfjs prints a failure instead of throwing it.
      const factory = tf.findBackendFactory("wasm");
      const backend = await factory();
      tf.removeBackend("wasm");
      tf.registerBackend("wasm", () => backend, 2);
    }
    registerStockWasmKernels();
    await tf.setBackend("wasm");
    return this.inspect(platform, options);
  },
};

function isInitialized(): boolean {
  return "wasm" in tf.engine().registry;
}

async function expectedThreads(cpu: { cores: number }): Promise<number> {
  return (await tf.env().getAsync("WASM_HAS_MULTITHREAD_SUPPORT")) ? cpu.cores : 1;
}
