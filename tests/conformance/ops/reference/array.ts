/** A float64 array with a shape: what the reference functions in this folder compute with. */
export interface NdArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function filled(shape: readonly number[], value = 0): NdArray {
  return { shape, data: new Float64Array(sizeOf(shape)).fill(value) };
}

export function fromValues(shape: readonly number[], values: Iterable<number>): NdArray {
  const data = Float64Array.from(values);
  if (data.length !== sizeOf(shape)) throw new Error(`${data.length} values for [${shape}].`);
  return { shape, data };
}

/** Number in row `row`, column `column` of rows of `width`. */
export function at(array: NdArray, index: number): number {
  return array.data[index] as number;
}

/** Maps every row of the last axis, `width` long, to a row of the result. */
export function mapRows(
  x: NdArray,
  resultWidth: number,
  f: (row: Float64Array, index: number) => ArrayLike<number>,
): NdArray {
  const width = x.shape[x.shape.length - 1] as number;
  const count = x.data.length / width;
  const result = filled([...x.shape.slice(0, -1), resultWidth]);
  for (let i = 0; i < count; i++) {
    result.data.set(f(x.data.subarray(i * width, (i + 1) * width), i), i * resultWidth);
  }
  return result;
}

/** Without the last axis, whose size must be 1. */
export function dropLastAxis(x: NdArray): NdArray {
  return { shape: x.shape.slice(0, -1), data: x.data };
}
