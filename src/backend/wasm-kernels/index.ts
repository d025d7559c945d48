import * as tf from "@tensorflow/tfjs";
import { registerSegmentSum } from "../segment-sum.js";
import { cpuFallbackKernels, registerCpuFallback } from "./cpu-fallbacks.js";
import { type MatMulFlags, stockMatMul } from "./matmul.js";
import type { StockWasmBackend } from "./stock-backend.js";
import { transposeMatrices } from "./transpose-matrices.js";

type Inputs = Record<string, tf.TensorInfo | undefined>;
type FusedAttributes = MatMulFlags & Record<string, unknown>;

let registered = false;

/**
 * Completes the stock wasm backend for training: the kernels it lacks, and matmuls whose operands
 * are transposed or batched, which it computes in a plain loop. After its package is imported.
 */
export function registerStockWasmKernels(): void {
  if (registered) return;
  registered = true;
  replaceKernel("BatchMatMul", (_stock, inputs, attributes, backend) => {
    const { a, b } = inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
    const { transposeA = false, transposeB = false } = attributes as Partial<MatMulFlags>;
    return stockMatMul(backend, a, b, { transposeA, transposeB });
  });
  replaceKernel("_FusedMatMul", (stock, inputs, attributes, backend) => {
    const { transposeA, transposeB } = attributes as FusedAttributes;
    const a = inputs["a"] as tf.TensorInfo;
    const b = inputs["b"] as tf.TensorInfo;
    const left = transposeA ? transposeMatrices(backend, a) : a;
    const right = transposeB ? transposeMatrices(backend, b) : b;
    const output = stock(
      { ...inputs, a: left, b: right },
      { ...attributes, transposeA: false, transposeB: false },
      backend,
    );
    if (left !== a) backend.disposeData(left.dataId);
    if (right !== b) backend.disposeData(right.dataId);
    return output;
  });
  registerSegmentSum<StockWasmBackend>("wasm", {
    read: (info, backend) => backend.typedArrayFromHeap(info),
    write: (values, shape, dtype, backend) => backend.makeOutput(shape, dtype, undefined, values),
  });
  for (const kernelName of cpuFallbackKernels) registerCpuFallback(kernelName);
}

type Kernel = (inputs: Inputs, attributes: object, backend: StockWasmBackend) => tf.TensorInfo;

/** Registers `compute` in place of a stock kernel, which it can call; the stock setup stays. */
function replaceKernel(
  kernelName: string,
  compute: (stock: Kernel, ...args: Parameters<Kernel>) => tf.TensorInfo,
): void {
  const stock = tf.getKernel(kernelName, "wasm");
  if (stock === undefined) throw new Error(`The stock wasm backend has no kernel ${kernelName}.`);
  const callStock: Kernel = (inputs, attributes, backend) =>
    stock.kernelFunc({
      inputs: inputs as tf.NamedTensorInfoMap,
      attrs: attributes as tf.NamedAttrMap,
      backend,
    }) as tf.TensorInfo;
  tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({
    ...stock,
    kernelFunc: ({ inputs, attrs, backend }) =>
      compute(callStock, inputs as Inputs, attrs ?? {}, backend as StockWasmBackend),
  });
}
