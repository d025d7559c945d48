import * as tf from "@tensorflow/tfjs-core";
import { stopGradient } from "./stop-gradient.js";

/** |x| with a gradient of 0 at 0, where tfjs's own has −1. */
export function absolute(x: tf.Tensor): tf.Tensor {
  return x.relu().add(x.neg().relu());
}

/** ½ x² up to |x| = 1 and |x| − ½ beyond: PyTorch's smooth L1 (Huber) with beta 1. */
export function smoothAbsolute(x: tf.Tensor): tf.Tensor {
  const isSmall = stopGradient(x).abs().less(1);
  return tf.where(isSmall, x.square().mul(0.5), absolute(x).sub(0.5));
}
