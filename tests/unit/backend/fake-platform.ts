import type { Platform } from "../../../src/backend/index.js";
import { nodeWasmPlatform } from "../../../src/node/wasm-platform.js";

/** Adapter information with the given parts. */
export function adapterInfo(known: Partial<GPUAdapterInfo>): GPUAdapterInfo {
  const unknown = { vendor: "", architecture: "", device: "", description: "" };
  return { ...unknown, isFallbackAdapter: false, ...known } as GPUAdapterInfo;
}

/** A machine without GPU and without optional packages, changed by `changes`. */
export function fakePlatform(changes: Partial<Platform> = {}): Platform {
  return {
    runtime: "Test 1.0",
    cpu: { model: "Test CPU", cores: 4 },
    cpuEngine: {
      ...nodeWasmPlatform,
      numCores: 1,
      nativeKernels: () => ({ reason: "no compiler when it was installed" }),
    },
    provideGpu: async () => ({ reason: "there is no GPU", remedy: "Buy one." }),
    importOptional: async () => undefined,
    packageVersion: () => undefined,
    onExit: () => {},
    ...changes,
  };
}

/** A machine whose only adapter is the given one; it refuses to give a device. */
export function platformWithAdapter(
  info: GPUAdapterInfo,
  limits: Partial<GPUSupportedLimits> = {},
): { platform: Platform; released: () => number } {
  let count = 0;
  const adapter = {
    info,
    features: new Set(),
    limits,
    requestDevice: async () => {
      throw new Error("device refused");
    },
  };
  const gpu = { requestAdapter: async () => adapter } as unknown as GPU;
  const release = () => {
    count += 1;
  };
  const platform = fakePlatform({ provideGpu: async () => ({ gpu, release }) });
  return { platform, released: () => count };
}
