import * as tf from "@tensorflow/tfjs-core";
import { defineKernel } from "../define.js";

const kernel = defineKernel<{ norm: tf.Tensor }, { maxGradNorm: number }>(
  "PupilClipScale",
  ({ norm }, { maxGradNorm }) => [tf.minimum(1, tf.div(maxGradNorm, norm.add(1e-6)))],
);

/**
 * The factor that brings gradients of global norm `norm` down to `maxGradNorm`:
 * min(1, maxGradNorm / (norm + 1e-6)), as in PyTorch's `clip_grad_norm_`; 1 when there is no limit.
 * Stays on the device.
 */
export function clipScale(norm: tf.Scalar, maxGradNorm: number | undefined): tf.Scalar {
  if (maxGradNorm === undefined) return tf.scalar(1);
  return kernel({ norm }, { maxGradNorm })[0] as tf.Scalar;
}
