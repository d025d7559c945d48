import * as tf from "@tensorflow/tfjs";

/**
 * Cosine and sine of `positionId · theta^(−2i/headDim)`, both `[B, T, headDim/2]`.
 *
 * The angle is reduced to one turn before it is rounded to float32: the turns per position are
 * split into parts of 12 bits, whose product with a position is exact, so the error stays near 1e-6
 * at any position below 8192. (A plain float32 product is off by 2e-4 there, and GPUs take the sine
 * of large numbers badly.)
 */
export function rotaryTables(
  positionIds: tf.Tensor2D,
  headDim: number,
  theta: number,
): { cos: tf.Tensor3D; sin: tf.Tensor3D } {
  const half = headDim / 2;
  if (!Number.isInteger(half)) throw new Error(`rotaryTables needs an even headDim: ${headDim}.`);
  const split = Array.from({ length: half }, (_, i) => splitTurns(theta ** (-i / half)));
  return tf.tidy(() => {
    const positions = positionIds.toFloat().expandDims(2);
    const [high, middle, low] = [0, 1, 2].map((part) =>
      positions.mul(tf.tensor1d(split.map((parts) => parts[part] as number))),
    ) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const turns = high.sub(high.floor()).add(middle.sub(middle.floor())).add(low);
    const angle = turns.sub(turns.round()).mul(2 * Math.PI);
    return { cos: angle.cos() as tf.Tensor3D, sin: angle.sin() as tf.Tensor3D };
  });
}

/** An angle as turns in parts of 12 and 12 bits, and the rest: three numbers whose sum it is. */
export function splitTurns(radians: number): readonly number[] {
  let rest = radians / (2 * Math.PI);
  const parts = [12, 24].map((bits) => {
    const rounded = Math.round(rest * 2 ** bits) / 2 ** bits;
    rest -= rounded;
    return rounded;
  });
  return [...parts, rest];
}
