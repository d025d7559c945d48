import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../errors/index.js";
import { type ModelConfig, parameterGroups } from "../models/index.js";

const float = 4;

/** What a backend can hold at most, in bytes; undefined where nobody knows. */
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
 *
 * @param system memory of the machine in bytes, where it is known
 */
export function backendLimits(
  name = tf.getBackend(),
  backend: object = tf.backend(),
  system = Infinity,
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
  const total = Math.min(name === "wasm" ? 2 ** 32 : Infinity, system);
  return { total: Number.isFinite(total) ? total : undefined, tensor: undefined };
}

/** Bytes of a model's weights on the device, in float32. */
export function weightBytes(config: ModelConfig): number {
  const groups: readonly number[] = Object.values(parameterGroups(config));
  return float * groups.reduce((sum, count) => sum + count, 0);
}

/** Bytes of the largest of its matrices. */
export function largestMatrixBytes(config: ModelConfig): number {
  return float * config.hiddenSize * Math.max(config.vocabSize, config.intermediateSize);
}

/**
 * Refuses a model whose weights alone the backend cannot hold, before any of them is read.
 *
 * @param source of the model, for the message
 * @throws PupilError with what it needs and what there is
 */
export function requireWithin(
  config: ModelConfig,
  source: string,
  { total = Infinity, tensor = Infinity }: DeviceLimits,
): void {
  const matrix = largestMatrixBytes(config);
  const weights = weightBytes(config);
  if (matrix <= tensor && weights <= total) return;
  const [what, least, most] =
    matrix > tensor
      ? ["tensor of the model needs at least", matrix, tensor]
      : ["model needs at least", weights, total];
  throw new PupilError(
    `A ${what} ${gibibytes(least)} of memory, and the ${tf.getBackend()} backend holds at most ${gibibytes(most)}.`,
    {
      field: source,
      remedy: "Use a smaller model, or another backend (pupil doctor shows what there is).",
    },
  );
}

export function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toPrecision(3)} GiB`;
}
