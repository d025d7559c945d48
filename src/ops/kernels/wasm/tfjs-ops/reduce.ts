import * as tf from "@tensorflow/tfjs-core";
import { isFloat, registerWasmKernel, rowsOf, sizeOf, type WasmTensors } from "../registry.js";

interface ReduceAttributes {
  readonly axis: number | number[];
  readonly keepDims: boolean;
}

function reduce(
  op: 0 | 1,
  x: tf.TensorInfo,
  { axis, keepDims }: ReduceAttributes,
  mean: boolean,
  backend: WasmTensors,
): tf.TensorInfo | undefined {
  const { shape } = x;
  const axes = tf.util.parseAxisParam(axis, shape).sort((a, b) => a - b);
  const first = axes[0];
  const last = axes[axes.length - 1];
  if (first === undefined || last === undefined || last - first + 1 !== axes.length) {
    return undefined;
  }
  const outer = sizeOf(shape.slice(0, first));
  const size = sizeOf(shape.slice(first, last + 1));
  const inner = sizeOf(shape.slice(last + 1));
  if (op === 1 && size === 0) return undefined;
  const kept = keepDims ? axes.map(() => 1) : [];
  const out = backend.newTensor(
    [...shape.slice(0, first), ...kept, ...shape.slice(last + 1)],
    "float32",
  );
  const addresses = [backend.address(x), backend.address(out)] as const;
  backend.engine.kernels.reduce(op, ...addresses, outer, size, inner, mean ? 1 / size : 1);
  return out;
}

export function registerReductions(): void {
  type Inputs = { x: tf.TensorInfo };
  registerWasmKernel<Inputs, ReduceAttributes>("Sum", ({ x }, attributes, backend) =>
    isFloat(x) ? reduce(0, x, attributes, false, backend) : undefined,
  );
  registerWasmKernel<Inputs, ReduceAttributes>("Mean", ({ x }, attributes, backend) =>
    isFloat(x) ? reduce(0, x, attributes, true, backend) : undefined,
  );
  registerWasmKernel<Inputs, { reductionIndices: number | number[]; keepDims: boolean }>(
    "Max",
    ({ x }, { reductionIndices, keepDims }, backend) =>
      isFloat(x) ? reduce(1, x, { axis: reductionIndices, keepDims }, false, backend) : undefined,
  );
  const softmax =
    (logarithm: number) =>
    ({ logits }: { logits: tf.TensorInfo }, attributes: object, backend: WasmTensors) => {
      const { dim, axis } = attributes as { dim?: number; axis?: number };
      const last = logits.shape.length - 1;
      const along = dim ?? axis ?? -1;
      if (!isFloat(logits) || last < 0 || (along !== -1 && along !== last)) return undefined;
      const out = backend.newTensor(logits.shape, "float32");
      const { rows, width } = rowsOf(logits);
      const addresses = [backend.address(logits), backend.address(out)] as const;
      backend.engine.kernels.softmax(...addresses, rows, width, logarithm);
      return out;
    };
  registerWasmKernel("Softmax", softmax(0));
  registerWasmKernel("LogSoftmax", softmax(1));
}
