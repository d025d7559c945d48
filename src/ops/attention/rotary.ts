import * as tf from "@tensorflow/tfjs-core";
import { assertShape } from "../../tensors/index.js";
import { defineOp, type Op } from "../define.js";

interface RotaryAttributes {
  /** Turns back by the same angles: the transpose of the rotation, hence its gradient. */
  readonly inverse: boolean;
}
type RotaryInputs = { x: tf.Tensor4D; cos: tf.Tensor3D; sin: tf.Tensor3D };

function compute({ x, cos, sin }: RotaryInputs, { inverse }: RotaryAttributes): tf.Tensor {
  const [first, second] = tf.split(x, 2, 3) as [tf.Tensor, tf.Tensor];
  const c = cos.expandDims(2);
  const s = sin.expandDims(2);
  const [a, b] = [first.mul(c), second.mul(s)];
  const [d, e] = [second.mul(c), first.mul(s)];
  return tf.concat(inverse ? [a.add(b), d.sub(e)] : [a.sub(b), d.add(e)], 3);
}

const op: Op<RotaryInputs, RotaryAttributes> = defineOp({
  name: "PupilRotary",
  reference: compute,
  forward: (inputs, attributes) => [compute(inputs, attributes)],
  gradients: (dy, { inputs: { cos, sin } }, { inverse }) => ({
    x: () => op({ x: dy as tf.Tensor4D, cos, sin }, { inverse: !inverse }),
    cos: () => tf.zerosLike(cos),
    sin: () => tf.zerosLike(sin),
  }),
});

/**
 * Rotary position embedding: turns the pairs `(x[i], x[i + hd/2])` of every head by the angle of
 * their position (the half-split pairing of Hugging Face's Llama, not the interleaved one).
 * x `[B, T, H, hd]`, tables `[B, T, hd/2]` from {@link rotaryTables}. The tables are constants: they
 * get a gradient of zeros.
 *
 * Source: Su et al. 2021, arXiv 2104.09864, eq. 34.
 */
export function rotary(x: tf.Tensor4D, cos: tf.Tensor3D, sin: tf.Tensor3D): tf.Tensor4D {
  assertShape({ x, cos, sin }, { x: "B T H D", cos: "B T P", sin: "B T P" });
  return op({ x, cos, sin }, { inverse: false }) as tf.Tensor4D;
}

rotary.definition = op.definition;
