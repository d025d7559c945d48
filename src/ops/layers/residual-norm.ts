import type * as tf from "@tensorflow/tfjs-core";
import { layerNorm } from "./layer-norm.js";
import { rmsNorm } from "./rms-norm.js";

/** The residual stream `[..., D]` and the norm in front of a block: a layer norm if it has a bias, else an RMS norm. */
export type ResidualNormInputs = { x: tf.Tensor; normWeight: tf.Tensor1D; normBias?: tf.Tensor1D };

/** `[value, ...statistics]`: what the norm's own kernel saves, inverse deviation last. */
export function residualNorm(inputs: ResidualNormInputs, epsilon: number): tf.Tensor[] {
  const { x, normWeight: weight, normBias: bias } = inputs;
  return bias
    ? layerNorm.definition.forward({ x, weight, bias }, { epsilon })
    : rmsNorm.definition.forward({ x, weight }, { epsilon });
}

/**
 * Gradients of `x + block(norm(x))`, given those of its value and of the normed x: of x, through both, and
 * of the norm's parameters.
 */
export function residualNormGradients(
  { dy, dnormed }: { readonly dy: tf.Tensor; readonly dnormed: tf.Tensor },
  inputs: ResidualNormInputs,
  { epsilon, mean, scale }: { epsilon: number; mean?: tf.Tensor | undefined; scale: tf.Tensor },
): Record<string, tf.Tensor> {
  const { x, normWeight: weight, normBias: bias } = inputs;
  if (bias === undefined || mean === undefined) {
    const saved = { inputs: { x, weight }, extras: [scale] };
    const { x: dx, weight: dw } = rmsNorm.definition.gradients(dnormed, saved, { epsilon });
    return { x: dx().add(dy), normWeight: dw() };
  }
  const saved = { inputs: { x, weight, bias }, extras: [mean, scale] };
  const gradients = layerNorm.definition.gradients(dnormed, saved, { epsilon });
  return {
    x: gradients.x().add(dy),
    normWeight: gradients.weight(),
    normBias: gradients.bias(),
  };
}

/** Names of what the norm saves, in order. */
export function savedByNorm({ normBias }: Partial<ResidualNormInputs>): string[] {
  return ["normed", ...(normBias ? ["mean"] : []), "scale"];
}
