import { startWasmBackend, type WasmBackend } from "../../../src/backend/wasm/index.js";
import { nodeWasmPlatform } from "../../../src/node/wasm-platform.js";
import { availableExecutors } from "../../../src/node/native-kernels.js";
import {
  describeExecutor,
  type EngineOptions,
  type EnginePlatform,
} from "../../../src/ops/kernels/wasm/index.js";

/** Our CPU engine as the current backend. Go back with `useCpu` when done. */
export function useWasmEngine(
  options: EngineOptions = {},
  platform: Partial<EnginePlatform> = {},
): Promise<WasmBackend> {
  return startWasmBackend({ ...nodeWasmPlatform, ...platform }, { numThreads: 1, ...options });
}

/** What computes: both builds in WebAssembly, and every native executor that runs here. */
export const executors: { readonly name: string; readonly options: EngineOptions }[] = [
  { name: "wasm, relaxed SIMD", options: { build: "relaxed" } },
  { name: "wasm, SIMD", options: { build: "plain" } },
  ...availableExecutors()
    .filter((executor) => executor !== "wasm")
    .map((executor) => ({ name: describeExecutor(executor), options: { executor } })),
];

/** All of them, with and without a worker. */
export const engineVariants = executors.flatMap(({ name, options }) =>
  [1, 2].map((numThreads) => ({
    name: `${name}, ${numThreads} ${numThreads === 1 ? "thread" : "threads"}`,
    options: { ...options, numThreads },
  })),
);
