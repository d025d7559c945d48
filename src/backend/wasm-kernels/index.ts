import * as tf from "@tensorflow/tfjs";
import { registerSegmentSum } from "../segment-sum.js";
import { cpuFallbackKernels, registerCpuFallback } from "./cpu-fallbacks.js";
import {
  type FusedMatMulAttributes,
  type FusedMatMulInputs,
  isPlainProduct,
  unfusedMatMul,
} from "./fused-matmul.js";
import { type MatMulFlags, stockMatMul } from "./matmul.js";
import type { StockWasmBackend } from "./stock-backend.js";

let registered = false;

/**
 * Completes the stock wasm backend for training: the kernels it lacks, and matmuls whose operands
 * are transposed or batched, which it computes in a plain loop. After its package is imported.
 */
export function registerStockWasmKernels(): void {
  if (registered) return;
  registered = true;
  replaceKernel("BatchMatMul", (_stock, { inputs, attrs, backend }) => {
    const { a, b } = inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
    const { transposeA = false, transposeB = false } = (attrs ?? {}) as Partial<MatMulFlags>;
    return stockMatMul(backend as StockWasmBackend, a, b, { transposeA, transposeB });
  });
  replaceKernel("_FusedMatMul", (stock, call) => {
    const inputs = call.inputs as unknown as FusedMatMulInputs;
    const attributes = call.attrs as unknown as FusedMatMulAttributes;
    if (isPlainProduct(inputs, attributes)) return stock(call);
    return unfusedMatMul(call.backend as StockWasmBackend, inputs, attributes);
  });
  registerSegmentSum<StockWasmBackend>("wasm", {
    read: (info, backend) => backend.typedArrayFromHeap(info),
    write: (values, shape, dtype, backend) => backend.makeOutput(shape, dtype, undefined, values),
  });
  for (const kernelName of cpuFallbackKernels) registerCpuFallback(kernelName);
}

/** Registers `compute` in place of a stock kernel, which it can call; the stock setup stays. */
function replaceKernel(
  kernelName: string,
  compute: (
    stock: tf.KernelFunc,
    call: Parameters<tf.KernelFunc>[0],
  ) => tf.TensorInfo | tf.TensorInfo[],
): void {
  const stock = tf.getKernel(kernelName, "wasm");
  if (stock === undefined) throw new Error(`The stock wasm backend has no kernel ${kernelName}.`);
  tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({ ...stock, kernelFunc: (call) => compute(stock.kernelFunc, call) });
}
