import * as tf from "@tensorflow/tfjs";
import type { StockWasmBackend } from "./stock-backend.js";

/**
 * Kernels that the stock wasm backend lacks and that gradients of wasm's own kernels want. They run
 * the cpu backend's kernel on copies: slow, but training does not stop. Also missing on wasm, and
 * left so because no gradient needs them: Complex, ComplexAbs, Draw, Einsum, FFT, IFFT, Imag,
 * RaggedGather, RaggedRange, RaggedTensorToTensor, Real, StaticRegexReplace.
 */
export const cpuFallbackKernels = [
  "Conv2DBackpropFilter",
  "DepthwiseConv2dNativeBackpropFilter",
  "DepthwiseConv2dNativeBackpropInput",
] as const;

export function registerCpuFallback(kernelName: string): void {
  const stock = tf.getKernel(kernelName, "cpu");
  if (stock === undefined || tf.getKernel(kernelName, "wasm")) return;
  tf.registerKernel({
    kernelName,
    backendName: "wasm",
    kernelFunc: ({ inputs, attrs, backend }) => {
      const cpu = tf.findBackend("cpu") as tf.MathBackendCPU;
      const wasm = backend as StockWasmBackend;
      const copies = Object.entries(inputs).map(([name, input]) => {
        const { shape, dtype, dataId } = input as tf.TensorInfo;
        const values = wasm.readSync(dataId) as tf.TypedArray;
        return [name, cpu.makeTensorInfo(shape, dtype, values)] as const;
      });
      const result = stock.kernelFunc({
        inputs: Object.fromEntries(copies),
        backend: cpu,
        ...(attrs && { attrs }),
      });
      const { shape, dtype, dataId } = result as tf.TensorInfo;
      const output = wasm.makeOutput(shape, dtype, undefined, cpu.readSync(dataId));
      cpu.disposeIntermediateTensorInfo(result as tf.TensorInfo);
      for (const [, copy] of copies) cpu.disposeIntermediateTensorInfo(copy);
      return output;
    },
  });
}
