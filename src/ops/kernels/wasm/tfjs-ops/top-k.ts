import type * as tf from "@tensorflow/tfjs-core";
import { isFloat, registerWasmKernel, rowsOf } from "../registry.js";

type Attributes = { readonly k: number; readonly sorted: boolean };

/** Fewer than this are found faster by tfjs's selection. */
const fewestSorted = 64;
/** Most entries of a row whose index fits beside 32 bits in the 53 of a float64. */
const longestRow = 2 ** 21;

/**
 * The largest k of every row by sorting all of it, for losses over the whole vocabulary in order. tfjs
 * sorts objects of value and index; here both are one number, which typed arrays sort natively.
 */
export function registerTopK(): void {
  registerWasmKernel<{ x: tf.TensorInfo }, Attributes>("TopK", ({ x }, { k }, backend) => {
    const { rows, width } = rowsOf(x);
    if (!isFloat(x) || k < fewestSorted || k > width || width > longestRow) return undefined;
    const shape = [...x.shape.slice(0, -1), k];
    const values = backend.newTensor(shape, "float32");
    const indices = backend.newTensor(shape, "int32");
    const [from, toValues, toIndices] = [x, values, indices].map((t) => backend.valuesOf(t)) as [
      Float32Array,
      Float32Array,
      Int32Array,
    ];
    const keys = new Float64Array(width);
    const scratch = new Float32Array(width);
    for (let row = 0; row < rows; row++) {
      const ofRow = from.subarray(row * width, (row + 1) * width);
      sortedKeys(ofRow, keys, scratch);
      for (let i = 0; i < k; i++) {
        const index = (keys[i] as number) % longestRow;
        toIndices[row * k + i] = index;
        toValues[row * k + i] = ofRow[index] as number;
      }
    }
    return [values, indices];
  });
}

/** Keys in whose order values fall, and of equal values indices rise. */
function sortedKeys(values: Float32Array, keys: Float64Array, scratch: Float32Array): void {
  const bits = new Uint32Array(scratch.buffer);
  for (let i = 0; i < values.length; i++) {
    // Adding 0 makes −0 the same as 0.
    scratch[i] = (values[i] as number) + 0;
    const given = bits[i] as number;
    // Bits of a float as an unsigned number that rises with it.
    const rising = given >>> 31 === 1 ? ~given >>> 0 : given + 2 ** 31;
    keys[i] = (2 ** 32 - 1 - rising) * longestRow + i;
  }
  keys.sort();
}
