import * as tf from "@tensorflow/tfjs-core";
import type { GpuProgram } from "./program.js";

/** What kernels need from the backend that owns the tensors. */
export interface GpuTensors {
  /** A new tensor on the device with values that are not initialised. */
  newTensor(shape: readonly number[], dtype?: "float32" | "int32"): tf.TensorInfo;
  /**
   * Several new tensors of numbers side by side in one buffer, which a shader binds once for all of them. Their memory
   * is free when none of them lives any more. Apart, if they are too large for one buffer.
   */
  newTensors(shapes: readonly (readonly number[])[]): tf.TensorInfo[];
  /**
   * Records a call: tensors in the order of the program's `reads` and `writes`. Tensors that lie in one buffer are bound
   * once. If there are still more buffers than a shader may use, the smallest of those that are read are copied into one.
   */
  run(
    program: GpuProgram,
    tensors: readonly tf.TensorInfo[],
    params: readonly number[],
    groups: readonly [number, number, number],
  ): void;
  /** Records that a tensor is filled with zeros. */
  clear(tensor: tf.TensorInfo): void;
  /** A tensor from an array. */
  makeTensorInfo(
    shape: number[],
    dtype: tf.DataType,
    values?: tf.backend_util.BackendValues,
  ): tf.TensorInfo;
  /** Numbers on the device that stay as they are until they are disposed. */
  constant(values: Float32Array): tf.TensorInfo;
  disposeData(dataId: object, force?: boolean): boolean;
  /** For an output that is an input under a new name. */
  incRef(dataId: object): void;
  /** How many tensors have these values. */
  refCount(dataId: object): number;
  /** Records that a tensor is copied into another one, from word `at` on. */
  copy(from: tf.TensorInfo, to: tf.TensorInfo, at: number): void;
  /**
   * Moves tensors into one array, each from a multiple of `alignment` words on and zeros between them, unless they are
   * there. It can be used for as long as the tensors live. Undefined if they are too large for one buffer, or one of them
   * is there twice.
   */
  pack(tensors: readonly tf.TensorInfo[], alignment: number): tf.TensorInfo | undefined;
  /** A tensor's words from the `at`-th on, a multiple of 64, as a tensor that shares its memory. */
  view(tensor: tf.TensorInfo, at: number, words: number): tf.TensorInfo;
  /** Whether a tensor's numbers are held as binary16, which every kernel may read as it reads others. */
  isHalf(tensor: tf.TensorInfo): boolean;
  /** Records that a tensor's numbers are rounded to binary16, and held so: half the bytes. */
  holdAsHalf(tensor: tf.TensorInfo): void;
  /** Storage arrays that one shader may use. */
  readonly mostArrays: number;
  /** Bytes of a tensor that a shader may use at a time. */
  readonly mostBytes: number;
}

type Outputs = tf.TensorInfo | tf.TensorInfo[];

/** A kernel of the backend; returns undefined for a case that it leaves to the kernel before it. */
export type GpuKernel<I, A> = (inputs: I, attributes: A, gpu: GpuTensors) => Outputs | undefined;

/** Puts a kernel in the place of the composed one, which stays behind it for other cases. */
export function registerGpuKernel<I, A = object>(name: string, kernel: GpuKernel<I, A>): void {
  const previous = tf.getKernel(name, "webgpu");
  if (previous !== undefined) tf.unregisterKernel(name, "webgpu");
  tf.registerKernel({
    kernelName: name,
    backendName: "webgpu",
    kernelFunc: (call) => {
      const { inputs, attrs, backend } = call;
      const result = kernel(inputs as I, attrs as A, backend as GpuTensors);
      if (result !== undefined) return result;
      if (previous === undefined) throw new Error(`WebGPU has no ${name} for this case.`);
      return previous.kernelFunc(call);
    },
  });
}

export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const dimension of shape) size *= dimension;
  return size;
}

/** Rows and width of a tensor seen as a matrix of its last axis. */
export function rowsOf({ shape }: tf.TensorInfo): { rows: number; width: number } {
  const width = shape[shape.length - 1] ?? 1;
  return { rows: sizeOf(shape.slice(0, -1)), width };
}

/** Pieces of some lines of `width` words, each small enough for a shader and beginning where a view may. */
export function windowsOf(
  { mostBytes }: GpuTensors,
  lines: number,
  width: number,
): { readonly start: number; readonly count: number }[] {
  let unit = 64;
  while (unit > 1 && (width * unit) % 128 === 0) unit /= 2;
  const most = unit * Math.max(1, Math.floor(mostBytes / 4 / Math.max(1, width) / unit));
  const windows: { start: number; count: number }[] = [];
  for (let start = 0; start < lines; start += most) {
    windows.push({ start, count: Math.min(most, lines - start) });
  }
  return windows;
}

/** Lines of a matrix that is larger than what a shader may use; the matrix itself, if they are all of it. */
export function lineView(
  gpu: GpuTensors,
  matrix: tf.TensorInfo,
  { start, count }: { readonly start: number; readonly count: number },
  width: number,
): tf.TensorInfo {
  if (count * width === sizeOf(matrix.shape)) {
    gpu.incRef(matrix.dataId);
    return matrix;
  }
  return gpu.view(matrix, start * width, count * width);
}
