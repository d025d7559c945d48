import type { KernelExports } from "./exports.js";

/** Instruction sets that native kernels are compiled for; `accelerate` is NEON with Apple's BLAS. */
export const nativeExecutors = ["accelerate", "avx512", "avx2", "neon", "baseline"] as const;
export type NativeExecutor = (typeof nativeExecutors)[number];

/** Who runs the kernels: WebAssembly, or machine code that works on the same memory. */
export type Executor = "wasm" | NativeExecutor;

/** Machine code for this CPU. */
export interface NativeKernels {
  readonly executor: NativeExecutor;
  /**
   * Kernels on a shared memory, which does not move when it grows, with threads of their own.
   * `bytes` is a view of its beginning, `maxBytes` how far it can grow.
   */
  attach(bytes: Uint8Array, numThreads: number, maxBytes: number): Partial<KernelExports>;
}

const names: Record<NativeExecutor, string> = {
  accelerate: "NEON, Accelerate",
  avx512: "AVX-512",
  avx2: "AVX2",
  neon: "NEON",
  baseline: "native, 128-bit",
};

/** As people write it; `reason` is why it is WebAssembly. */
export function describeExecutor(executor: Executor, reason?: string): string {
  if (executor !== "wasm") return names[executor];
  return reason === undefined ? "wasm" : `wasm: ${reason}`;
}
