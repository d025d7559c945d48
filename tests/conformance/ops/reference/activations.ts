import { at, type NdArray } from "./array.js";

const map = (x: NdArray, f: (v: number, i: number) => number): NdArray => ({
  shape: x.shape,
  data: x.data.map(f),
});
const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));

/** Gauss's error function by its Taylor series, or 1 − erfc by continued fraction, to 1e-15. */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (z < 3) {
    let term = z;
    let sum = z;
    for (let n = 1; Math.abs(term) > 1e-18 * sum; n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = z;
  for (let n = 60; n > 0; n--) fraction = z + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-z * z) / (fraction * Math.sqrt(Math.PI)));
}

export function silu(x: NdArray): NdArray {
  return map(x, (v) => v * sigmoid(v));
}

export function swiglu(gate: NdArray, up: NdArray): NdArray {
  return map(gate, (v, i) => v * sigmoid(v) * at(up, i));
}

export function gelu(x: NdArray, approximation: "tanh" | "none"): NdArray {
  if (approximation === "none") return map(x, (v) => (v / 2) * (1 + erf(v / Math.SQRT2)));
  const root = Math.sqrt(2 / Math.PI);
  return map(x, (v) => (v / 2) * (1 + Math.tanh(root * (v + 0.044715 * v ** 3))));
}
