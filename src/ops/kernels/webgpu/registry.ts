import * as tf from "@tensorflow/tfjs-core";
import type { GpuProgram } from "./program.js";

/** What kernels need from the backend that owns the tensors. */
export interface GpuTensors {
  /** A new tensor on the device with values that are not initialised. */
  newTensor(shape: readonly number[], dtype?: "float32" | "int32"): tf.TensorInfo;
  /** Records a call: tensors in the order of the program's `reads` and `writes`. */
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
  disposeData(dataId: object, force?: boolean): boolean;
  /** For an output that is an input under a new name. */
  incRef(dataId: object): void;
  /** How many tensors have these values. */
  refCount(dataId: object): number;
  /** Records that a tensor is copied into another one, from word `at` on. */
  copy(from: tf.TensorInfo, to: tf.TensorInfo, at: number): void;
  /**
   * Moves tensors into one array, each from a multiple of `alignment` words on, unless they are there. It can be
   * used for as long as the tensors live. Undefined if they are too large for one array.
   */
  pack(tensors: readonly tf.TensorInfo[], alignment: number): tf.TensorInfo | undefined;
  /** Storage arrays that one shader may use. */
  readonly mostArrays: number;
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
