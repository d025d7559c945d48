import { at, mapRows, type NdArray } from "./array.js";

export function linear(
  x: NdArray,
  weight: NdArray,
  bias: NdArray | undefined,
  layout: "out-in" | "in-out",
): NdArray {
  const [rows, columns] = weight.shape as [number, number];
  const [outputs, inputs] = layout === "out-in" ? [rows, columns] : [columns, rows];
  return mapRows(x, outputs, (row) =>
    Float64Array.from({ length: outputs }, (_, o) => {
      let sum = bias === undefined ? 0 : at(bias, o);
      for (let i = 0; i < inputs; i++) {
        const w = at(weight, layout === "out-in" ? o * inputs + i : i * outputs + o);
        sum += w * (row[i] as number);
      }
      return sum;
    }),
  );
}

export function embedding(weight: NdArray, ids: NdArray): NdArray {
  const width = weight.shape[1] as number;
  const column = { shape: [...ids.shape, 1], data: ids.data };
  return mapRows(column, width, ([id]) => {
    const start = (id as number) * width;
    return weight.data.subarray(start, start + width);
  });
}
