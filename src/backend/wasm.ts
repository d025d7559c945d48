import * as tf from "@tensorflow/tfjs-core";
import { describeExecutor, type EnginePlatform, type WasmEngine } from "../ops/index.js";
import type { BackendCandidate, Device } from "./candidate.js";
import type { Platform, Unavailable } from "./platform.js";
import { startWasmBackend, WasmBackend } from "./wasm/index.js";

/** The CPU engine: tfjs's kernels and our own on WebAssembly, see `wasm/` and `ops/kernels/wasm`. */
export const wasmCandidate: BackendCandidate = {
  name: "wasm",
  needsGpu: false,
  packages: [],
  remedy: "Reinstall the dependencies (npm ci); in a browser, serve the package's .wasm files.",
  async inspect(platform) {
    const { cpuEngine } = platform;
    // What a start would fail with, such as a build that is not there.
    if (cpuEngine !== undefined && runningEngine() === undefined) {
      const build = cpuEngine.supportsRelaxedSimd() ? "relaxed" : "plain";
      await cpuEngine.loadKernels(`kernels-${build}.wasm`);
    }
    return engineDevice(platform);
  },
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
  const hasThreads = cpuEngine.startWorker !== undefined && cpuEngine.sharesMemory;
  return {
    device: `${cpu.model} (${executorOf(engine, cpuEngine)})`,
    threads: engine?.numThreads ?? (hasThreads ? cpuEngine.numCores : 1),
  };
}

/** What runs the kernels, or would: `AVX-512`, `wasm: no compiler when it was installed, relaxed SIMD`. */
function executorOf(engine: WasmEngine | undefined, platform: EnginePlatform): string {
  const native = engine === undefined ? platform.nativeKernels?.(undefined) : undefined;
  if (native !== undefined && "attach" in native) return describeExecutor(native.executor);
  if (engine !== undefined && engine.executor !== "wasm") return engine.executorDescription;
  const isRelaxed = engine ? engine.build === "relaxed" : platform.supportsRelaxedSimd();
  const description = engine?.executorDescription ?? describeExecutor("wasm", native?.reason);
  return `${description}, ${isRelaxed ? "relaxed SIMD" : "SIMD"}`;
}
