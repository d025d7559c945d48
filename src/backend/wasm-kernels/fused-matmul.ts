import * as tf from "@tensorflow/tfjs";
import { stockMatMul } from "./matmul.js";
import type { StockWasmBackend } from "./stock-backend.js";

export interface FusedMatMulInputs {
  readonly a: tf.TensorInfo;
  readonly b: tf.TensorInfo;
  readonly bias?: tf.TensorInfo;
  readonly preluActivationWeights?: tf.TensorInfo;
}

export interface FusedMatMulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly activation: string;
  readonly leakyreluAlpha?: number;
}

const activationKernels: Readonly<Record<string, string>> = {
  relu: "Relu",
  relu6: "Relu6",
  elu: "Elu",
  sigmoid: "Sigmoid",
  leakyrelu: "LeakyRelu",
  prelu: "Prelu",
};

/** Whether the stock fused kernel hands everything to XNNPACK. */
export function isPlainProduct(inputs: FusedMatMulInputs, flags: FusedMatMulAttributes): boolean {
  const single = ({ shape }: tf.TensorInfo) => tf.util.sizeFromShape(shape.slice(0, -2)) === 1;
  return !flags.transposeA && !flags.transposeB && single(inputs.a) && single(inputs.b);
}

/**
 * activation(op(a) · op(b) + bias) one step after the other. In its loop for transposed or batched
 * operands the stock kernel gives every row but the first the bias of the last column, and adds it
 * again for every 48 elements of the inner axis.
 */
export function unfusedMatMul(
  backend: StockWasmBackend,
  { a, b, bias, preluActivationWeights }: FusedMatMulInputs,
  { activation, leakyreluAlpha, ...flags }: FusedMatMulAttributes,
): tf.TensorInfo {
  let result = stockMatMul(backend, a, b, flags);
  const step = (kernelName: string, inputs: tf.NamedTensorInfoMap, attrs: tf.NamedAttrMap) => {
    const next = runStock(kernelName, inputs, attrs, backend);
    backend.disposeData(result.dataId);
    result = next;
  };
  if (bias !== undefined) step("Add", { a: result, b: bias }, {});
  if (activation === "linear") return result;
  const kernelName = activationKernels[activation];
  if (kernelName === undefined) throw new Error(`There is no fused activation ${activation}.`);
  const inputs = { x: result, ...(preluActivationWeights && { alpha: preluActivationWeights }) };
  step(kernelName, inputs, { alpha: leakyreluAlpha ?? 0 });
  return result;
}

function runStock(
  kernelName: string,
  inputs: tf.NamedTensorInfoMap,
  attrs: tf.NamedAttrMap,
  backend: StockWasmBackend,
): tf.TensorInfo {
  const kernel = tf.getKernel(kernelName, "wasm");
  if (kernel === undefined) throw new Error(`The stock wasm backend has no kernel ${kernelName}.`);
  return kernel.kernelFunc({ inputs, attrs, backend }) as tf.TensorInfo;
}
