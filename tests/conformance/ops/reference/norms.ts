import { at, mapRows, type NdArray } from "./array.js";

const mean = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length;

export function rmsNorm(x: NdArray, weight: NdArray, epsilon: number): NdArray {
  return mapRows(x, weight.data.length, (row) => {
    const root = Math.sqrt(mean(row.map((v) => v * v)) + epsilon);
    return row.map((v, i) => (v / root) * at(weight, i));
  });
}

export function layerNorm(x: NdArray, weight: NdArray, bias: NdArray, epsilon: number): NdArray {
  return mapRows(x, weight.data.length, (row) => {
    const centre = mean(row);
    const root = Math.sqrt(mean(row.map((v) => (v - centre) ** 2)) + epsilon);
    return row.map((v, i) => ((v - centre) / root) * at(weight, i) + at(bias, i));
  });
}
