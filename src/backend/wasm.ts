import * as tf from "@tensorflow/tfjs";
import type { BackendCandidate, Device } from "./candidate.js";
import type { Platform, Unavailable } from "./platform.js";
import { startWasmBackend, WasmBackend } from "./wasm/index.js";

/** The CPU engine: tfjs's kernels and our own on WebAssembly, see `wasm/` and `ops/kernels/wasm`. */
export const wasmCandidate: BackendCandidate = {
  name: "wasm",
  packages: [],
  remedy: "Reinstall the dependencies (npm ci); in a browser, serve the package's .wasm files.",
  inspect: async (platform) => engineDevice(platform),
  async start(platform) {
    const { cpuEngine } = platform;
    if (cpuEngine === undefined) return engineDevice(platform);
    if (runningEngine() === undefined) await startWasmBackend(cpuEngine);
    else await tf.setBackend("wasm");
    return engineDevice(platform);
  },
};

/** The engine's backend, if it has been started. */
function runningEngine(): WasmBackend | undefined {
  const { registry } = tf.engine();
  const backend = "wasm" in registry ? registry["wasm"] : undefined;
  return backend instanceof WasmBackend ? backend : undefined;
}

function engineDevice({ cpu, cpuEngine }: Platform): Device | Unavailable {
  if (cpuEngine === undefined) {
    return {
      reason: "this runtime has no page to fetch the kernels from",
      remedy: 'In Node pass { platform: nodePlatform } from "pupil/node".',
    };
  }
  const engine = runningEngine()?.engine;
  const isRelaxed = engine ? engine.build === "relaxed" : cpuEngine.supportsRelaxedSimd();
  const hasThreads = cpuEngine.startWorker !== undefined && cpuEngine.sharesMemory;
  return {
    device: `${cpu.model} (${isRelaxed ? "relaxed SIMD" : "SIMD"})`,
    threads: engine?.numThreads ?? (hasThreads ? cpuEngine.numCores : 1),
  };
}
