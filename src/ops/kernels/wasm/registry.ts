import * as tf from "@tensorflow/tfjs-core";
import type { WasmEngine } from "./engine/engine.js";

/** What kernels need from the backend that owns the tensors. */
export interface WasmTensors {
  readonly engine: WasmEngine;
  /** Address of a float32 or int32 tensor's values. */
  address(tensor: tf.TensorInfo): number;
  /** A new tensor with values that are not initialised. */
  newTensor(shape: number[], dtype: "float32" | "int32"): tf.TensorInfo;
  /** A view of a tensor's values, for kernels written in JavaScript. */
  valuesOf(tensor: tf.TensorInfo): ArrayLike<number>;
  /** A tensor from an array, for kernels written in JavaScript. */
  makeTensorInfo(shape: number[], dtype: tf.DataType, values: Uint8Array): tf.TensorInfo;
  disposeData(dataId: object, force?: boolean): boolean;
  /** For an output that is an input under a new name. */
  incRef(dataId: object): void;
  /** How many tensors have these values. */
  refCount(dataId: object): number;
}

type Outputs = tf.TensorInfo | tf.TensorInfo[];

/** A kernel of the backend; returns undefined for a case that it leaves to the JavaScript kernel. */
export type WasmKernel<I, A> = (
  inputs: I,
  attributes: A,
  backend: WasmTensors,
) => Outputs | undefined;

/** Puts a kernel in the place of the JavaScript one, which stays behind it for other cases. */
export function registerWasmKernel<I, A = object>(name: string, kernel: WasmKernel<I, A>): void {
  const previous = tf.getKernel(name, "wasm");
  if (previous !== undefined) tf.unregisterKernel(name, "wasm");
  tf.registerKernel({
    kernelName: name,
    backendName: "wasm",
    kernelFunc: (call) => {
      const { inputs, attrs, backend } = call;
      const result = kernel(inputs as I, attrs as A, backend as WasmTensors);
      if (result !== undefined) return result;
      if (previous === undefined) throw new Error(`The wasm backend has no ${name} for this case.`);
      return previous.kernelFunc(call);
    },
  });
}

export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const dimension of shape) size *= dimension;
  return size;
}

export function isFloat(...tensors: (tf.TensorInfo | undefined)[]): boolean {
  return tensors.every((t) => t === undefined || t.dtype === "float32");
}

/** Rows and width of a tensor seen as a matrix of its last axis. */
export function rowsOf({ shape }: tf.TensorInfo): { rows: number; width: number } {
  const width = shape[shape.length - 1] ?? 1;
  return { rows: sizeOf(shape.slice(0, -1)), width };
}
