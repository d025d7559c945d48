import { at, mapRows, type NdArray } from "./array.js";

/** x `[B, T, H, hd]`; the angles enter through their tables, `[B, T, hd/2]`. */
export function rotary(x: NdArray, cos: NdArray, sin: NdArray): NdArray {
  const [, , heads, width] = x.shape as [number, number, number, number];
  const half = width / 2;
  return mapRows(x, width, (row, index) => {
    const table = Math.floor(index / heads) * half;
    return row.map((v, i) => {
      const pair = i % half;
      const [c, s] = [at(cos, table + pair), at(sin, table + pair)];
      const other = row[i < half ? i + half : i - half] as number;
      return i < half ? v * c - other * s : v * c + other * s;
    });
  });
}
