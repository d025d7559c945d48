import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import * as tf from "@tensorflow/tfjs-core";

/** What the current backend can hold at most, in bytes; undefined where nobody knows. */
export interface DeviceLimits {
  readonly total: number | undefined;
  /** Of one tensor. */
  readonly tensor: number | undefined;
}

/** The parts of the backends of other packages that say what they can hold. */
interface KnownParts {
  readonly device?: {
    readonly limits: Pick<GPUSupportedLimits, "maxBufferSize" | "maxStorageBufferBindingSize">;
  };
  readonly isUsingGpuDevice?: boolean;
}

/**
 * The engine's addresses have 32 bits. WebGPU says how large a buffer may be and a kernel's view of it,
 * but not how much memory there is; nor does TensorFlow with CUDA.
 */
export function deviceLimits(
  name = tf.getBackend(),
  backend: object = tf.backend(),
  system = systemBytes(),
): DeviceLimits {
  const { device, isUsingGpuDevice } = backend as KnownParts;
  if (name === "webgpu") {
    const { maxBufferSize = Infinity, maxStorageBufferBindingSize = Infinity } =
      device?.limits ?? {};
    const tensor = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    return { total: undefined, tensor: Number.isFinite(tensor) ? tensor : undefined };
  }
  if (name === "tensorflow" && isUsingGpuDevice === true) {
    return { total: undefined, tensor: undefined };
  }
  return { total: Math.min(name === "wasm" ? 2 ** 32 : Infinity, system), tensor: undefined };
}

/** Memory of the machine, or of the container where it has less, and swap. */
function systemBytes(): number {
  // 0, or more than any machine has, where there is no such limit.
  const container = process.constrainedMemory?.() || Infinity;
  return Math.min(totalmem(), container) + swapBytes();
}

function swapBytes(): number {
  if (process.platform !== "linux") return Infinity;
  const kibibytes = /^SwapTotal:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  return 1024 * Number(kibibytes ?? 0);
}
