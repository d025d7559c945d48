import * as tf from "@tensorflow/tfjs-core";
import { defineKernel } from "../define.js";

/** By which angles the pairs of a head turn from one position to the next. */
export interface RotaryFrequencies {
  /**
   * Radians per position, by pair `[headDim/2]`: one list for every row of the batch, or several for
   * the rows to choose from.
   */
  readonly inverse: readonly (readonly number[])[];
  /** Cosines and sines are multiplied by it. */
  readonly factor: number;
}

/** `theta^(−2i/headDim)`: radians per position of pair i, `[headDim/2]`. */
export function inverseFrequencies(headDim: number, theta: number): number[] {
  const half = headDim / 2;
  if (!Number.isInteger(half)) throw new Error(`Rotary heads need an even width: ${headDim}.`);
  return Array.from({ length: half }, (_, i) => theta ** (-i / half));
}

type TableInputs = { positionIds: tf.Tensor2D; choice?: tf.Tensor1D };

/**
 * `[cos, sin]`. The angle is reduced to one turn before it is rounded to float32: the turns per position
 * are split into parts of 12 bits, whose product with a position is exact, so the error stays near 1e-6
 * at any position below 8192. (A plain float32 product is off by 2e-4 there, and GPUs take the sine
 * of large numbers badly.)
 */
const tables = defineKernel<TableInputs, RotaryFrequencies>(
  "PupilRotaryTables",
  ({ positionIds, choice }, { inverse, factor }) => {
    const splits = inverse.map((list) => list.map(splitTurns));
    const positions = positionIds.toFloat().expandDims(2);
    const [high, middle, low] = [0, 1, 2].map((part) => {
      const lists = splits.map((list) => list.map((parts) => parts[part] as number));
      const chosen = choice ? tf.gather(tf.tensor2d(lists), choice) : tf.tensor2d(lists);
      return positions.mul(chosen.expandDims(1));
    }) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const turns = high.sub(high.floor()).add(middle.sub(middle.floor())).add(low);
    const angle = turns.sub(turns.round()).mul(2 * Math.PI);
    return [angle.cos(), angle.sin()].map((table) => (factor === 1 ? table : table.mul(factor)));
  },
);

/**
 * Cosine and sine of `positionId · inverse[i]`, times `factor`, both `[B, T, headDim/2]`.
 *
 * @param choice `[B]` int32: which list of `inverse` each row takes, where there are several
 */
export function rotaryTables(
  positionIds: tf.Tensor2D,
  frequencies: RotaryFrequencies,
  choice?: tf.Tensor1D,
): { cos: tf.Tensor3D; sin: tf.Tensor3D } {
  const { inverse } = frequencies;
  if (inverse.length !== 1 && choice === undefined) {
    throw new Error(`rotaryTables: ${inverse.length} lists of frequencies and no choice of them.`);
  }
  const inputs = choice ? { positionIds, choice } : { positionIds };
  const [cos, sin] = tables(inputs, { ...frequencies }) as [tf.Tensor3D, tf.Tensor3D];
  return { cos, sin };
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
