import * as tf from "@tensorflow/tfjs-core";
import { crossEntropyFromLogits } from "./cross-entropy-from-logits.js";

/** Log-probability of each taken token, `log softmax(logits)[id]`: `[B, T, V]`, `[B, T]` to `[B, T]`. */
export function tokenLogProbs(logits: tf.Tensor3D, ids: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => crossEntropyFromLogits(logits, ids).neg());
}
