import { registerGather } from "./gather.js";
import { registerOptimizer } from "./optimizer.js";

/**
 * Puts kernels of TensorFlow's own ops in place of the composed ones of the `tensorflow` backend; call it after
 * `@tensorflow/tfjs-node` has registered its own.
 */
export function registerTensorflowKernels(): void {
  registerGather();
  registerOptimizer();
}
