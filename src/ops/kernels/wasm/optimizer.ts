import type * as tf from "@tensorflow/tfjs";
import type { AdamwInputs, AdamwSettings } from "../../adamw-update.js";
import { isFloat, registerWasmKernel, sizeOf } from "./registry.js";
import { addresses } from "./transformer.js";

export function registerOptimizer(): void {
  type Inputs = { [K in keyof AdamwInputs]: tf.TensorInfo };
  registerWasmKernel<Inputs, AdamwSettings>(
    "PupilAdamwUpdate",
    ({ parameter, firstMoment, secondMoment, gradient, gradientScale }, settings, backend) => {
      const { learningRate, beta1, beta2, epsilon, weightDecay, step } = settings;
      const outputs = [0, 1, 2].map(() => backend.newTensor(parameter.shape, "float32"));
      const [p, first, second] = outputs as [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo];
      backend.engine.kernels.adamw(
        ...addresses(backend, parameter, firstMoment, secondMoment, gradient, gradientScale),
        ...addresses(backend, p, first, second),
        sizeOf(parameter.shape),
        ...([beta1, 1 - beta1, beta2, 1 - beta2, epsilon] as const),
        learningRate / (1 - beta1 ** step),
        1 - learningRate * weightDecay,
        1 / Math.sqrt(1 - beta2 ** step),
      );
      return outputs;
    },
  );
  registerWasmKernel<Record<string, tf.TensorInfo>>("PupilGlobalNorm", (named, _, backend) => {
    const tensors = Object.values(named);
    if (!isFloat(...tensors)) return undefined;
    const { kernels, allocator } = backend.engine;
    // One float64 for every 16384 elements of each tensor.
    const room = tensors.reduce((n, { shape }) => n + Math.ceil(sizeOf(shape) / 16384), 0);
    const partial = allocator.allocate(8 * room);
    let count = 0;
    for (const t of tensors) {
      const target = partial.address + 8 * count;
      count += kernels.sumSquares(backend.address(t), sizeOf(t.shape), target);
    }
    const out = backend.newTensor([], "float32");
    kernels.rootOfSum(partial.address, count, backend.address(out));
    allocator.release(partial);
    return out;
  });
}
