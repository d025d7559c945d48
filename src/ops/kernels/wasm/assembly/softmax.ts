/**
 * Everything that starts with a softmax of rows: softmax itself, cross-entropy and the divergences
 * from logits, values and gradients. A row's maximum m and log Σ e^(x-m) are kept apart, since their
 * sum would lose digits for large logits. The gradient computes them again: a pass over a row that it
 * reads anyway costs less than a tensor that lives until then.
 */
import { vexp, vexpm1Negative, vexpNegative, vlog, vlog1p, whereLikely } from "./math";
import { maxRow } from "./reduce";
import { fma, loadPart, storePart, sumLanes } from "./simd";
import {
  float, int, parallel, pointer, scratch, SCRATCH_BYTES, setFloat, setInt, setPointer,
} from "./threads";

/**
 * Numbers of the current row, at the end of the thread's scratch: the student's maximum and log-sum,
 * the teacher's, and one of the loss.
 */
// @ts-ignore: decorator
@inline
function rowStatistics(): usize {
  return scratch + <usize>(SCRATCH_BYTES - 64);
}

/** Lanes of the last vector of a row that count, as a mask. */
// @ts-ignore: decorator
@inline
export function laneMask(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
}

// @ts-ignore: decorator
@inline
function read(p: usize, rest: i32): v128 {
  return rest >= 4 ? v128.load(p) : loadPart(p, rest, 0);
}

// @ts-ignore: decorator
@inline
function write(p: usize, v: v128, rest: i32): void {
  if (rest >= 4) v128.store(p, v);
  else storePart(p, v, rest);
}

/** Natural logarithm of one number, the same as the vector one. */
// @ts-ignore: decorator
@inline
function log1(x: f32): f32 {
  return f32x4.extract_lane(vlog(f32x4.splat(x)), 0);
}

/** log Σ e^((x - top)·k). */
export function logSum(x: usize, n: i32, top: f32, k: f32): f32 {
  const m = f32x4.splat(top);
  const ks = f32x4.splat(k);
  let total = f32x4.splat(0);
  for (let i = 0; i < n; i += 4) {
    const rest = n - i;
    let e = vexpNegative(f32x4.mul(f32x4.sub(read(x + (<usize>i << 2), rest), m), ks));
    if (rest < 4) e = v128.and(e, laneMask(rest));
    total = f32x4.add(total, e);
  }
  return log1(sumLanes(total));
}

// Softmax: 0 x, 1 y, 2 n, 3 log?
function softmaxTask(begin: i32, end: i32): void {
  const n = int(2);
  const logarithm = int(3) != 0;
  for (let row = begin; row < end; row++) {
    const base = (<usize>row * <usize>n) << 2;
    const x = pointer(0) + base;
    const y = pointer(1) + base;
    const m = f32x4.splat(maxRow(x, n));
    let total = f32x4.splat(0);
    for (let i = 0; i < n; i += 4) {
      const rest = n - i;
      const shifted = f32x4.sub(read(x + (<usize>i << 2), rest), m);
      let e = vexp(shifted);
      if (rest < 4) e = v128.and(e, laneMask(rest));
      total = f32x4.add(total, e);
      write(y + (<usize>i << 2), logarithm ? shifted : e, rest);
    }
    const sum = sumLanes(total);
    const factor = f32x4.splat(logarithm ? log1(sum) : 1 / sum);
    for (let i = 0; i < n; i += 4) {
      const rest = n - i;
      const p = y + (<usize>i << 2);
      const v = read(p, rest);
      write(p, logarithm ? f32x4.sub(v, factor) : f32x4.mul(v, factor), rest);
    }
  }
}

/** Softmax of rows, or its logarithm. */
export function softmax(x: usize, y: usize, rows: i32, n: i32, logarithm: i32): void {
  setPointer(0, x);
  setPointer(1, y);
  setInt(2, n);
  setInt(3, logarithm);
  parallel(softmaxTask.index, rows, max(1, 2048 / max(1, n)));
}

// Cross-entropy: 0 logits, 1 labels, 2 values, 4 n, 5 smoothing, 6 dy, 7 gradient, 8 add?

/** The loss of a row whose maximum and log-sum are known. */
function rowCrossEntropy(
  x: usize, label: i32, n: i32, top: f32, total: f32, smoothing: f32,
): f32 {
  let target = <u32>label < <u32>n ? load<f32>(x + (<usize>label << 2)) - top : NaN;
  if (smoothing != 0) {
    let sum = f32x4.splat(0);
    for (let i = 0; i < n; i += 4) {
      const rest = n - i;
      let d = f32x4.sub(read(x + (<usize>i << 2), rest), f32x4.splat(top));
      if (rest < 4) d = v128.and(d, laneMask(rest));
      sum = f32x4.add(sum, d);
    }
    target = target * (1 - smoothing) + (sumLanes(sum) / <f32>n) * smoothing;
  }
  return total - target;
}

function crossEntropyTask(begin: i32, end: i32): void {
  const n = int(4);
  for (let row = begin; row < end; row++) {
    const x = pointer(0) + ((<usize>row * <usize>n) << 2);
    const label = load<i32>(pointer(1) + (<usize>row << 2));
    const top = maxRow(x, n);
    const value = rowCrossEntropy(x, label, n, top, logSum(x, n, top, 1), float(5));
    store<f32>(pointer(2) + (<usize>row << 2), value);
  }
}

export function crossEntropy(
  logits: usize, labels: usize, value: usize, rows: i32, n: i32, smoothing: f32,
): void {
  setPointer(0, logits);
  setPointer(1, labels);
  setPointer(2, value);
  setInt(4, n);
  setFloat(5, smoothing);
  parallel(crossEntropyTask.index, rows, max(1, 4096 / max(1, n)));
}

function crossEntropyGradTask(begin: i32, end: i32): void {
  const n = int(4);
  const smoothing = float(5);
  const adds = int(8) != 0;
  const uniform = f32x4.splat(smoothing / <f32>n);
  for (let row = begin; row < end; row++) {
    const base = (<usize>row * <usize>n) << 2;
    const x = pointer(0) + base;
    const out = pointer(7) + base;
    const dy = load<f32>(pointer(6) + (<usize>row << 2));
    if (dy == 0 && pointer(2) == 0) {
      if (!adds) memory.fill(out, 0, <usize>n << 2);
      continue;
    }
    const label = load<i32>(pointer(1) + (<usize>row << 2));
    const maximum = maxRow(x, n);
    const sum = logSum(x, n, maximum, 1);
    if (pointer(2)) {
      const value = rowCrossEntropy(x, label, n, maximum, sum, smoothing);
      store<f32>(pointer(2) + (<usize>row << 2), value);
    }
    const top = f32x4.splat(maximum);
    const total = f32x4.splat(sum);
    const d = f32x4.splat(dy);
    for (let i = 0; i < n; i += 4) {
      const at = <usize>i << 2;
      const rest = n - i;
      const p = vexpNegative(f32x4.sub(f32x4.sub(read(x + at, rest), top), total));
      let g = f32x4.mul(f32x4.sub(p, uniform), d);
      if (adds) g = f32x4.add(read(out + at, rest), g);
      write(out + at, g, rest);
    }
    if (<u32>label < <u32>n) {
      const p = out + (<usize>label << 2);
      store<f32>(p, load<f32>(p) - dy * (1 - smoothing));
    }
  }
}

/**
 * Gradient of `crossEntropy`, into `out` or added to it; `out` may be the logits if nothing else needs
 * them. The values too, if `values` is not 0.
 */
export function crossEntropyGrad(
  dy: usize, logits: usize, labels: usize, out: usize, rows: i32, n: i32, smoothing: f32,
  values: usize, adds: i32,
): void {
  setPointer(0, logits);
  setPointer(1, labels);
  setPointer(2, values);
  setInt(4, n);
  setFloat(5, smoothing);
  setPointer(6, dy);
  setPointer(7, out);
  setInt(8, adds);
  parallel(crossEntropyGradTask.index, rows, max(1, 4096 / max(1, n)));
}

// Divergences: 0 student, 1 teacher, 2 values, 4 n, 5 1/temperature, 6 kind, 7 beta,
// 8 normaliser, 9 dy, 10 gradient, 11 add? Kinds: 0 forward KL, 1 reverse KL, 2 generalised JSD.

/**
 * Σ p_a (log p_a - log p_b): one exponential per logit, none left over. +Infinity where b rules out
 * (-Infinity) what a does not.
 */
function kl(
  a: usize, topA: f32, b: usize, topB: f32, n: i32, k: f32, statA: usize, statB: usize,
): f32 {
  const ks = f32x4.splat(k);
  const ma = f32x4.splat(topA);
  const mb = f32x4.splat(topB);
  let sumA = f32x4.splat(0);
  let sumB = sumA;
  let sumD = sumA;
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2;
    const rest = n - i;
    const za = f32x4.mul(f32x4.sub(read(a + at, rest), ma), ks);
    const zb = f32x4.mul(f32x4.sub(read(b + at, rest), mb), ks);
    let ea = vexpNegative(za);
    let eb = vexpNegative(zb);
    if (rest < 4) {
      ea = v128.and(ea, laneMask(rest));
      eb = v128.and(eb, laneMask(rest));
    }
    sumA = f32x4.add(sumA, ea);
    sumB = f32x4.add(sumB, eb);
    sumD = fma(ea, whereLikely(za, f32x4.sub(za, zb)), sumD);
  }
  const totalA = sumLanes(sumA);
  const logA = log1(totalA);
  const logB = log1(sumLanes(sumB));
  store<f32>(statA, topA);
  store<f32>(statA, logA, 4);
  store<f32>(statB, topB);
  store<f32>(statB, logB, 4);
  return sumLanes(sumD) / totalA - (logA - logB);
}

/** log(M/S) and log(M/T) from d = log T - log S, without cancellation: see the op's reference. */
// @ts-ignore: decorator
@inline
function logMixture(d: v128, beta: f32): v128 {
  const behind = f32x4.le(d, f32x4.splat(0));
  const weight = v128.bitselect(f32x4.splat(beta), f32x4.splat(1 - beta), behind);
  return vlog1p(f32x4.mul(vexpm1Negative(f32x4.neg(f32x4.abs(d))), weight));
}

// @ts-ignore: decorator
@inline
export function logProbability(p: usize, rest: i32, top: f32, k: f32, total: f32): v128 {
  const z = f32x4.mul(f32x4.sub(read(p, rest), f32x4.splat(top)), f32x4.splat(k));
  return f32x4.sub(z, f32x4.splat(total));
}

/** JSD before the normaliser; stores Σ S log(M/S), which its gradient needs. */
function jsd(s: usize, t: usize, n: i32, k: f32, beta: f32, saved: usize): f32 {
  const topS = maxRow(s, n);
  const topT = maxRow(t, n);
  const logS = logSum(s, n, topS, k);
  const logT = logSum(t, n, topT, k);
  const zero = f32x4.splat(0);
  let sumS = zero;
  let sumT = zero;
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2;
    const rest = n - i;
    const ls = logProbability(s + at, rest, topS, k, logS);
    const lt = logProbability(t + at, rest, topT, k, logT);
    const d = f32x4.sub(lt, ls);
    const inner = logMixture(d, beta);
    let ps = vexpNegative(ls);
    let pt = vexpNegative(lt);
    if (rest < 4) {
      ps = v128.and(ps, laneMask(rest));
      pt = v128.and(pt, laneMask(rest));
    }
    sumS = fma(ps, whereLikely(ls, f32x4.add(inner, f32x4.max(d, zero))), sumS);
    sumT = fma(pt, whereLikely(lt, f32x4.add(inner, f32x4.max(f32x4.neg(d), zero))), sumT);
  }
  const overS = sumLanes(sumS);
  store<f32>(saved, topS);
  store<f32>(saved, logS, 4);
  store<f32>(saved, topT, 8);
  store<f32>(saved, logT, 12);
  store<f32>(saved, overS, 16);
  return -(beta * sumLanes(sumT) + (1 - beta) * overS);
}

/** The divergence of a row; leaves in `saved` what the gradient needs. */
function rowDivergence(s: usize, t: usize, n: i32, saved: usize): f32 {
  const k = float(5);
  const kind = int(6);
  if (kind == 0) return kl(t, maxRow(t, n), s, maxRow(s, n), n, k, saved + 8, saved);
  if (kind == 1) {
    const value = kl(s, maxRow(s, n), t, maxRow(t, n), n, k, saved, saved + 8);
    store<f32>(saved, value, 16);
    return value;
  }
  return jsd(s, t, n, k, float(7), saved) * float(8);
}

function divergenceTask(begin: i32, end: i32): void {
  const n = int(4);
  for (let row = begin; row < end; row++) {
    const base = (<usize>row * <usize>n) << 2;
    const value = rowDivergence(pointer(0) + base, pointer(1) + base, n, rowStatistics());
    store<f32>(pointer(2) + (<usize>row << 2), value);
  }
}

export function divergence(
  kind: i32, student: usize, teacher: usize, value: usize, rows: i32, n: i32,
  inverseTemperature: f32, beta: f32, normaliser: f32,
): void {
  setPointer(0, student);
  setPointer(1, teacher);
  setPointer(2, value);
  setInt(4, n);
  setFloat(5, inverseTemperature);
  setInt(6, kind);
  setFloat(7, beta);
  setFloat(8, normaliser);
  parallel(divergenceTask.index, rows, max(1, 2048 / max(1, n)));
}

function divergenceGradTask(begin: i32, end: i32): void {
  const n = int(4);
  const k = float(5);
  const kind = int(6);
  const beta = float(7);
  const adds = int(11) != 0;
  const zero = f32x4.splat(0);
  for (let row = begin; row < end; row++) {
    const base = (<usize>row * <usize>n) << 2;
    const s = pointer(0) + base;
    const t = pointer(1) + base;
    const out = pointer(10) + base;
    let dy = load<f32>(pointer(9) + (<usize>row << 2)) * k;
    const saved = rowStatistics();
    if (dy != 0 || pointer(2)) {
      const value = rowDivergence(s, t, n, saved);
      if (pointer(2)) store<f32>(pointer(2) + (<usize>row << 2), value);
    }
    if (dy == 0) {
      // Nothing, also where the value is infinite.
      if (!adds) memory.fill(out, 0, <usize>n << 2);
      continue;
    }
    if (kind == 2) dy *= float(8) * (1 - beta);
    const d = f32x4.splat(dy);
    const topS = load<f32>(saved);
    const logS = load<f32>(saved, 4);
    const topT = load<f32>(saved, 8);
    const logT = load<f32>(saved, 12);
    const extra = v128.load32_splat(saved, 16);
    for (let i = 0; i < n; i += 4) {
      const at = <usize>i << 2;
      const rest = n - i;
      const ls = logProbability(s + at, rest, topS, k, logS);
      const lt = logProbability(t + at, rest, topT, k, logT);
      const ps = vexpNegative(ls);
      let g: v128;
      if (kind == 0) g = f32x4.sub(ps, vexpNegative(lt));
      else if (kind == 1) g = f32x4.mul(ps, whereLikely(ls, f32x4.sub(f32x4.sub(ls, lt), extra)));
      else {
        const difference = f32x4.sub(lt, ls);
        const over = f32x4.add(logMixture(difference, beta), f32x4.max(difference, zero));
        g = f32x4.mul(ps, whereLikely(ls, f32x4.sub(extra, over)));
      }
      g = f32x4.mul(g, d);
      if (adds) g = f32x4.add(read(out + at, rest), g);
      write(out + at, g, rest);
    }
  }
}

/**
 * Gradient of `divergence` for the student's logits, into `out` or added to it; `out` may be the
 * student's logits if nothing else needs them. The values too, if `values` is not 0.
 */
export function divergenceGrad(
  kind: i32, dy: usize, student: usize, teacher: usize, out: usize,
  rows: i32, n: i32, inverseTemperature: f32, beta: f32, normaliser: f32, values: usize, adds: i32,
): void {
  setPointer(0, student);
  setPointer(1, teacher);
  setInt(4, n);
  setFloat(5, inverseTemperature);
  setInt(6, kind);
  setFloat(7, beta);
  setFloat(8, normaliser);
  setPointer(2, values);
  setPointer(9, dy);
  setPointer(10, out);
  setInt(11, adds);
  parallel(divergenceGradTask.index, rows, max(1, 2048 / max(1, n)));
}
