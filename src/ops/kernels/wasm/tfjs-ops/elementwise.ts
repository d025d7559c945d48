import type * as tf from "@tensorflow/tfjs-core";
import { broadcastPlan, broadcastShape } from "./broadcast.js";
import { isFloat, registerWasmKernel, sizeOf, type WasmTensors } from "../registry.js";

/** tfjs kernel names to the numbers of assembly/elementwise.ts. */
const unaryKernels = {
  ...{ Neg: 0, Abs: 1, Square: 2, Sqrt: 3, Rsqrt: 4, Reciprocal: 5, Exp: 6, Log: 7, Tanh: 8 },
  ...{ Sigmoid: 9, Erf: 10, Relu: 11, Floor: 12, Round: 13 },
};
const binaryKernels = {
  ...{ Add: 0, Sub: 1, Multiply: 2, RealDiv: 3, Maximum: 4, Minimum: 5, SquaredDifference: 6 },
};

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

function applyBinary(
  op: number,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  backend: WasmTensors,
): tf.TensorInfo | undefined {
  const { kernels } = backend.engine;
  if (sameShape(a.shape, b.shape)) {
    const out = backend.newTensor(a.shape, "float32");
    const addresses = [backend.address(a), backend.address(b), backend.address(out)] as const;
    kernels.binary(op, ...addresses, sizeOf(a.shape));
    return out;
  }
  const shape = broadcastShape(a.shape, b.shape);
  const plan = broadcastPlan(a.shape, b.shape, shape);
  if (plan === undefined) return undefined;
  const out = backend.newTensor(shape, "float32");
  const addresses = [backend.address(a), backend.address(b), backend.address(out)] as const;
  kernels.binaryBroadcast(op, ...addresses, ...plan.sizes, ...plan.strides);
  return out;
}

export function registerElementwise(): void {
  for (const [name, op] of Object.entries(unaryKernels)) {
    registerWasmKernel<{ x: tf.TensorInfo }>(name, ({ x }, _, backend) => {
      if (!isFloat(x)) return undefined;
      const out = backend.newTensor(x.shape, "float32");
      const { kernels } = backend.engine;
      kernels.unary(op, backend.address(x), backend.address(out), sizeOf(x.shape));
      return out;
    });
  }
  for (const [name, op] of Object.entries(binaryKernels)) {
    registerWasmKernel<{ a: tf.TensorInfo; b: tf.TensorInfo }>(name, ({ a, b }, _, backend) =>
      isFloat(a, b) ? applyBinary(op, a, b, backend) : undefined,
    );
  }
  registerWasmKernel<tf.TensorInfo[]>("AddN", (tensors, _, backend) => {
    const [first, second, ...others] = tensors;
    if (first === undefined || second === undefined || !isFloat(...tensors)) return undefined;
    if (!tensors.every((t) => sameShape(t.shape, first.shape))) return undefined;
    const out = backend.newTensor(first.shape, "float32");
    const { kernels } = backend.engine;
    const target = backend.address(out);
    const size = sizeOf(first.shape);
    kernels.binary(0, backend.address(first), backend.address(second), target, size);
    for (const t of others) kernels.binary(0, target, backend.address(t), target, size);
    return out;
  });
}
