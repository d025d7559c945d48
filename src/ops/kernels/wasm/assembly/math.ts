/**
 * Elementary functions on four floats. Polynomials are interpolated at Chebyshev nodes in 40 digits
 * on the reduced range; relative errors, rounding included, stay below 2e-7 (tests/conformance).
 */
import { fma, fnma } from "./simd";

const LOG2E: f32 = 1.4426950408889634;
// ln 2 in two parts: n·LN2_HIGH is exact for |n| < 2^9.
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440e-4;

// @ts-ignore: decorator
@inline
function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/** exp(r) - 1 - r over r² for |r| ≤ ln2 / 2. */
// @ts-ignore: decorator
@inline
function expTail(r: v128): v128 {
  let p = splat(0.00019891980628017336);
  p = fma(p, r, splat(0.0013934541493654251));
  p = fma(p, r, splat(0.00833331048488617));
  p = fma(p, r, splat(0.04166645556688309));
  p = fma(p, r, splat(0.1666666716337204));
  return fma(p, r, splat(0.5));
}

/**
 * x·log2(e) rounded to a whole number n, as n + 1.5·2^23: the low bits of that float are n as an
 * integer. (Conversion instructions for all cases cost a dozen machine instructions each.)
 */
const SHIFT: f32 = 12582912;
const SHIFT_BITS: i32 = 0x4b400000;

// @ts-ignore: decorator
@inline
function shiftedExponent(x: v128): v128 {
  return fma(x, splat(LOG2E), splat(SHIFT));
}

/** x - n ln2. */
// @ts-ignore: decorator
@inline
function remainder(x: v128, shifted: v128): v128 {
  const n = f32x4.sub(shifted, splat(SHIFT));
  return fnma(n, splat(LN2_LOW), fnma(n, splat(LN2_HIGH), x));
}

/** 2^n for n in -126..127. */
// @ts-ignore: decorator
@inline
function power(shifted: v128): v128 {
  return i32x4.add(i32x4.shl(shifted, 23), i32x4.splat(0x3f800000));
}

/** e^x; 0 below -104, infinity above 88.73, NaN stays. */
// @ts-ignore: decorator
@inline
export function vexp(x: v128): v128 {
  x = f32x4.pmax(f32x4.pmin(x, splat(89)), splat(-105));
  const shifted = shiftedExponent(x);
  const r = remainder(x, shifted);
  const y = f32x4.add(fma(f32x4.mul(r, r), expTail(r), r), splat(1));
  // Two factors, because 2^128 and 2^-150 are no floats.
  const whole = i32x4.sub(shifted, i32x4.splat(SHIFT_BITS));
  const half = i32x4.shr_s(whole, 1);
  return f32x4.mul(f32x4.mul(y, power(half)), power(i32x4.sub(whole, half)));
}

/** e^x for x ≤ 0 that is 0 below -87: all that a softmax needs, and faster. */
// @ts-ignore: decorator
@inline
export function vexpNegative(x: v128): v128 {
  const clamped = f32x4.pmax(x, splat(-87));
  const shifted = shiftedExponent(clamped);
  const r = remainder(clamped, shifted);
  const y = f32x4.add(fma(f32x4.mul(r, r), expTail(r), r), splat(1));
  return v128.andnot(f32x4.mul(y, power(shifted)), f32x4.lt(x, splat(-87)));
}

/**
 * y where e^x, as `vexpNegative` gives it, is not 0, and 0 elsewhere: 0 · log 0 = 0 whatever infinity or
 * NaN the other factor is.
 */
// @ts-ignore: decorator
@inline
export function whereLikely(x: v128, y: v128): v128 {
  return v128.andnot(y, f32x4.lt(x, splat(-87)));
}

/** e^x - 1 for x ≤ 0, precise near 0. */
// @ts-ignore: decorator
@inline
export function vexpm1Negative(x: v128): v128 {
  x = f32x4.pmax(x, splat(-87));
  const shifted = shiftedExponent(x);
  const r = remainder(x, shifted);
  const y = fma(f32x4.mul(r, r), expTail(r), r);
  const scale = power(shifted);
  return fma(y, scale, f32x4.sub(scale, splat(1)));
}

/** log(1 + f) for f in [√½ - 1, √2 - 1]. */
// @ts-ignore: decorator
@inline
function logNearOne(f: v128): v128 {
  let p = splat(0.06972518563270569);
  p = fma(p, f, splat(-0.11481212079524994));
  p = fma(p, f, splat(0.1168578490614891));
  p = fma(p, f, splat(-0.1242552325129509));
  p = fma(p, f, splat(0.14249007403850555));
  p = fma(p, f, splat(-0.1666780710220337));
  p = fma(p, f, splat(0.20000717043876648));
  p = fma(p, f, splat(-0.2499999701976776));
  p = fma(p, f, splat(0.3333333134651184));
  const square = f32x4.mul(f, f);
  return f32x4.mul(square, fma(p, f, splat(-0.5)));
}

/** Natural logarithm: -infinity at 0, NaN below. */
// @ts-ignore: decorator
@inline
export function vlog(x: v128): v128 {
  // Subnormal numbers are scaled up first.
  const tiny = f32x4.lt(x, splat(1.1754943508222875e-38));
  const scaled = v128.bitselect(f32x4.mul(x, splat(8388608)), x, tiny);
  // The exponent that leaves the mantissa in [√½, √2).
  const offset = i32x4.sub(scaled, i32x4.splat(0x3f3504f3));
  const exponent = i32x4.shr_s(offset, 23);
  const mantissa = i32x4.sub(scaled, i32x4.shl(exponent, 23));
  const e = f32x4.sub(
    f32x4.convert_i32x4_s(exponent),
    v128.and(tiny, splat(23)),
  );
  const f = f32x4.sub(mantissa, splat(1));
  const tail = fma(e, splat(LN2_LOW), logNearOne(f));
  let y = fma(e, splat(LN2_HIGH), f32x4.add(tail, f));
  y = v128.bitselect(splat(-Infinity), y, f32x4.eq(x, splat(0)));
  y = v128.bitselect(splat(NaN), y, f32x4.lt(x, splat(0)));
  const unchanged = v128.or(f32x4.eq(x, splat(Infinity)), f32x4.ne(x, x));
  return v128.bitselect(x, y, unchanged);
}

/** log(1 + f) for f > -1, precise near 0. */
// @ts-ignore: decorator
@inline
export function vlog1p(f: v128): v128 {
  const u = f32x4.add(splat(1), f);
  const lost = f32x4.sub(f, f32x4.sub(u, splat(1)));
  return f32x4.add(vlog(u), f32x4.div(lost, u));
}

// @ts-ignore: decorator
@inline
export function vsigmoid(x: v128): v128 {
  // Beyond 87 the result is 1 or below 2e-38 anyway: one factor 2^n is enough.
  const clamped = f32x4.pmax(f32x4.pmin(f32x4.neg(x), splat(87)), splat(-87));
  const shifted = shiftedExponent(clamped);
  const r = remainder(clamped, shifted);
  const y = f32x4.add(fma(f32x4.mul(r, r), expTail(r), r), splat(1));
  return f32x4.div(splat(1), fma(y, power(shifted), splat(1)));
}

// @ts-ignore: decorator
@inline
export function vtanh(x: v128): v128 {
  const z = f32x4.mul(x, x);
  let p = splat(0.002292744815349579);
  p = fma(p, z, splat(-0.008343945257365704));
  p = fma(p, z, splat(0.02176891826093197));
  p = fma(p, z, splat(-0.053959257900714874));
  p = fma(p, z, splat(0.13333304226398468));
  p = fma(p, z, splat(-0.3333333432674408));
  const near = fma(f32x4.mul(x, z), p, x);
  const magnitude = f32x4.abs(x);
  const e = vexp(f32x4.add(magnitude, magnitude));
  const far = f32x4.sub(splat(1), f32x4.div(splat(2), f32x4.add(e, splat(1))));
  const sign = v128.and(x, i32x4.splat(i32.MIN_VALUE));
  return v128.bitselect(near, v128.or(far, sign), f32x4.lt(magnitude, splat(0.625)));
}

// @ts-ignore: decorator
@inline
export function verf(x: v128): v128 {
  const z = f32x4.mul(x, x);
  let p = splat(-9.667044650996104e-6);
  p = fma(p, z, splat(0.00011265958892181516));
  p = fma(p, z, splat(-0.0008484080317430198));
  p = fma(p, z, splat(0.005221031606197357));
  p = fma(p, z, splat(-0.026865430176258087));
  p = fma(p, z, splat(0.11283782124519348));
  p = fma(p, z, splat(-0.37612637877464294));
  p = fma(p, z, splat(1.128379225730896));
  const near = f32x4.mul(x, p);
  // 1 - e^(-x²) q(1/|x|); beyond 4 that is 1 to the last bit.
  const magnitude = f32x4.pmin(f32x4.abs(x), splat(4));
  const t = f32x4.div(splat(1), magnitude);
  let q = splat(-0.018976593390107155);
  q = fma(q, t, splat(0.12556739151477814));
  q = fma(q, t, splat(-0.3629220128059387));
  q = fma(q, t, splat(0.5839924216270447));
  q = fma(q, t, splat(-0.5103013515472412));
  q = fma(q, t, splat(0.052327342331409454));
  q = fma(q, t, splat(0.5575336217880249));
  q = fma(q, t, splat(0.00036271745921112597));
  const far = fnma(vexp(f32x4.neg(f32x4.mul(magnitude, magnitude))), q, splat(1));
  const sign = v128.and(x, i32x4.splat(i32.MIN_VALUE));
  return v128.bitselect(near, v128.or(far, sign), f32x4.lt(f32x4.abs(x), splat(1)));
}
