import type { NdArray } from "./array.js";

/**
 * Gradient of `Σ cotangent · f(inputs)` with respect to one input by central differences in float64
 * (error about 1e-9 for values near 1).
 */
export function centralDifferences(
  f: (inputs: Record<string, NdArray>) => NdArray,
  inputs: Readonly<Record<string, NdArray>>,
  name: string,
  cotangent: NdArray,
  step = 1e-5,
): NdArray {
  const input = inputs[name] as NdArray;
  const total = (data: Float64Array): number => {
    const value = f({ ...inputs, [name]: { shape: input.shape, data } });
    return value.data.reduce((sum, v, i) => sum + v * (cotangent.data[i] as number), 0);
  };
  const gradient = input.data.map((x, i) => {
    const [above, below] = [input.data.slice(), input.data.slice()];
    above[i] = x + step;
    below[i] = x - step;
    return (total(above) - total(below)) / (2 * step);
  });
  return { shape: input.shape, data: gradient };
}
