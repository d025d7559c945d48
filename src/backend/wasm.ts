import * as tf from "@tensorflow/tfjs";
import type { BackendCandidate, Device } from "./candidate.js";
import type { Platform } from "./platform.js";
import { startWasmBackend, WasmBackend } from "./wasm/index.js";
import { registerStockWasmKernels } from "./wasm-kernels/index.js";

/**
 * The CPU engine; on a platform without what it needs, the stock WebAssembly backend of tfjs, completed
 * by the kernels that training needs.
 */
export const wasmCandidate: BackendCandidate = {
  name: "wasm",
  packages: ["@tensorflow/tfjs-backend-wasm"],
  remedy: "Reinstall the dependencies (npm ci); in a browser, serve the package's .wasm files.",
  async inspect(platform) {
    const { cpu, cpuEngine } = platform;
    if (cpuEngine !== undefined) return engineDevice(platform);
    const { getThreadsCount } = await import("@tensorflow/tfjs-backend-wasm");
    const simd = await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT");
    const device = `${cpu.model} (${simd ? "SIMD" : "no SIMD"})`;
    return { device, threads: isInitialized() ? getThreadsCount() : await expectedThreads(cpu) };
  },
  async start(platform, options) {
    if (platform.cpuEngine !== undefined) {
      if (runningEngine() === undefined) await startWasmBackend(platform.cpuEngine);
      else await tf.setBackend("wasm");
      return engineDevice(platform);
    }
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

/** The engine's backend, if it has been started. */
function runningEngine(): WasmBackend | undefined {
  const backend = isInitialized() ? tf.engine().registry["wasm"] : undefined;
  return backend instanceof WasmBackend ? backend : undefined;
}

function engineDevice({ cpu, cpuEngine }: Platform): Device {
  const engine = runningEngine()?.engine;
  const isRelaxed = engine ? engine.build === "relaxed" : cpuEngine?.supportsRelaxedSimd();
  const hasThreads = cpuEngine?.startWorker !== undefined && cpuEngine.sharesMemory;
  return {
    device: `${cpu.model} (${isRelaxed ? "relaxed SIMD" : "SIMD"})`,
    threads: engine?.numThreads ?? (hasThreads ? cpu.cores : 1),
  };
}

function isInitialized(): boolean {
  return "wasm" in tf.engine().registry;
}

async function expectedThreads(cpu: { cores: number }): Promise<number> {
  return (await tf.env().getAsync("WASM_HAS_MULTITHREAD_SUPPORT")) ? cpu.cores : 1;
}
