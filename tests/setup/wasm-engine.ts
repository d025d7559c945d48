import { startWasmBackend, type WasmBackend } from "../../src/backend/wasm/index.js";
import { nodeWasmPlatform } from "../../src/node/wasm-platform.js";
import type { EngineOptions, EnginePlatform } from "../../src/ops/kernels/wasm/index.js";

/** Our CPU engine as the current backend. Go back with `useCpu` when done. */
export function useWasmEngine(
  options: EngineOptions = {},
  platform: Partial<EnginePlatform> = {},
): Promise<WasmBackend> {
  return startWasmBackend({ ...nodeWasmPlatform, ...platform }, { numThreads: 1, ...options });
}

/** Both builds, with and without a worker. */
export const engineVariants = [
  { build: "relaxed", numThreads: 1 },
  { build: "relaxed", numThreads: 2 },
  { build: "plain", numThreads: 1 },
  { build: "plain", numThreads: 2 },
] as const;
