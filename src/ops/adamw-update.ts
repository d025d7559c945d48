import type * as tf from "@tensorflow/tfjs";
import { defineKernel } from "./define.js";

/** A parameter, its moments and its gradient (all of one shape), and a factor for the gradient. */
export type AdamwInputs = {
  parameter: tf.Tensor;
  firstMoment: tf.Tensor;
  secondMoment: tf.Tensor;
  gradient: tf.Tensor;
  /** Multiplied into the gradient first (clipping, `1 / token count`), without a read to the host. */
  gradientScale: tf.Scalar;
};

export interface AdamwSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Number of this update, from 1. */
  readonly step: number;
}

/** `[parameter, firstMoment, secondMoment]`, new tensors. */
const update = defineKernel<AdamwInputs, AdamwSettings>(
  "PupilAdamwUpdate",
  ({ parameter, firstMoment, secondMoment, gradient, gradientScale }, settings) => {
    const { learningRate, beta1, beta2, epsilon, weightDecay, step } = settings;
    const g = gradient.mul(gradientScale);
    const first = firstMoment.mul(beta1).add(g.mul(1 - beta1));
    const second = secondMoment.mul(beta2).add(g.square().mul(1 - beta2));
    const root = second
      .sqrt()
      .mul(1 / Math.sqrt(1 - beta2 ** step))
      .add(epsilon);
    const change = first.div(root).mul(learningRate / (1 - beta1 ** step));
    return [parameter.mul(1 - learningRate * weightDecay).sub(change), first, second];
  },
);

/**
 * One step of AdamW: `m ← β₁m + (1−β₁)g`, `v ← β₂v + (1−β₂)g²`,
 * `p ← p − η λ p − η m̂ / (√v̂ + ε)` with bias-corrected m̂ and v̂, in PyTorch's order of operations.
 * Returns new tensors and disposes nothing.
 *
 * Source: Loshchilov & Hutter 2019, arXiv 1711.05101; `torch.optim.AdamW`.
 */
export function adamwUpdate(
  inputs: AdamwInputs,
  settings: AdamwSettings,
): { parameter: tf.Tensor; firstMoment: tf.Tensor; secondMoment: tf.Tensor } {
  const [parameter, firstMoment, secondMoment] = update({ ...inputs }, { ...settings }) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  return { parameter, firstMoment, secondMoment };
}
