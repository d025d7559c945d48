import type { BackendCandidate } from "./candidate.js";
import { cpuCandidate } from "./cpu.js";
import { tensorflowCandidate } from "./tensorflow.js";
import { wasmCandidate } from "./wasm.js";
import { webgpuCandidate } from "./webgpu.js";

/** Every backend, in the order of `backendNames`. */
export const backendCandidates: readonly BackendCandidate[] = [
  webgpuCandidate,
  tensorflowCandidate,
  wasmCandidate,
  cpuCandidate,
];
