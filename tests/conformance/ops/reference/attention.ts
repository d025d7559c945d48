import { at, filled, type NdArray } from "./array.js";

/** One query at a time, from the definition. */
export function causalAttention(
  query: NdArray,
  key: NdArray,
  value: NdArray,
  keyMask: NdArray | undefined,
  scale: number,
  firstKeys?: NdArray,
): NdArray {
  const [B, T, H, width] = query.shape as [number, number, number, number];
  const [, S, keyHeads] = key.shape as [number, number, number, number];
  const result = filled(query.shape);
  for (let b = 0; b < B; b++) {
    for (let t = 0; t < T; t++) {
      for (let h = 0; h < H; h++) {
        const keyHead = Math.floor(h / (H / keyHeads));
        const queryStart = ((b * T + t) * H + h) * width;
        const keyStart = (s: number) => ((b * S + s) * keyHeads + keyHead) * width;
        const scores: [number, number][] = [];
        const first = firstKeys === undefined ? 0 : Math.max(0, at(firstKeys, b * T + t));
        for (let s = first; s <= S - T + t; s++) {
          if (keyMask !== undefined && at(keyMask, b * S + s) === 0) continue;
          let score = 0;
          for (let d = 0; d < width; d++)
            score += at(query, queryStart + d) * at(key, keyStart(s) + d);
          scores.push([s, score * scale]);
        }
        const largest = Math.max(...scores.map(([, score]) => score));
        const total = scores.reduce((sum, [, score]) => sum + Math.exp(score - largest), 0);
        for (const [s, score] of scores) {
          const p = Math.exp(score - largest) / total;
          for (let d = 0; d < width; d++) {
            const i = queryStart + d;
            result.data[i] = at(result, i) + p * at(value, keyStart(s) + d);
          }
        }
      }
    }
  }
  return result;
}
