import type { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import type { BackendCandidate } from "./candidate.js";
import { registerSegmentSum } from "./segment-sum.js";

/** Stops the cpu backend from advising, at its first tensor, to install tfjs-node. */
export function silenceCpuAdvice(): void {
  // Private in tfjs's types, and the only switch there is.
  (tf.findBackend("cpu") as unknown as { firstUse: boolean }).firstUse = false;
}

/** Plain JavaScript: slow, always there, the reference for all others. */
export const cpuCandidate: BackendCandidate = {
  name: "cpu",
  needsGpu: false,
  packages: ["@tensorflow/tfjs-backend-cpu"],
  remedy: "Reinstall the dependencies: npm ci.",
  inspect: async (platform) => ({ device: `${platform.cpu.model} (plain JavaScript)`, threads: 1 }),
  async start(platform, options) {
    // Stock: one pass over the input for every segment, quadratic for an embedding gradient.
    registerSegmentSum("cpu", {
      read: ({ dataId }, backend: MathBackendCPU) => backend.readSync(dataId) as tf.TypedArray,
      write: (values, shape, dtype, backend: MathBackendCPU) =>
        backend.makeTensorInfo(shape, dtype, values),
    });
    await tf.setBackend("cpu");
    return this.inspect(platform, options);
  },
};
