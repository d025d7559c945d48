/**
 * Reductions over one (collapsed) axis of [outer, axis, inner]. Sums run over blocks in float32 and
 * over the blocks in float64, in an order that depends on the shape alone.
 */
import { maxLanes, sumLanes } from "./simd";
import { float, int, parallel, pointer, setFloat, setInt, setPointer } from "./threads";

const BLOCK: i32 = 512;

/** Sum of n floats in a row. */
export function sumRow(x: usize, n: i32): f64 {
  let total: f64 = 0;
  let i = 0;
  while (n - i >= 16) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    const end = min(n, i + BLOCK) - 15;
    for (; i < end; i += 16) {
      s0 = f32x4.add(s0, v128.load(x));
      s1 = f32x4.add(s1, v128.load(x, 16));
      s2 = f32x4.add(s2, v128.load(x, 32));
      s3 = f32x4.add(s3, v128.load(x, 48));
      x += 64;
    }
    total += sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
  }
  for (; i < n; i++) {
    total += load<f32>(x);
    x += 4;
  }
  return total;
}

/**
 * Maximum of n floats. NaN is passed over, as what follows meets it anyway: `max` of SIMD costs eight
 * machine instructions for NaN and -0, `pmax` one.
 */
export function maxRow(x: usize, n: i32): f32 {
  let m0 = f32x4.splat(-Infinity);
  let m1 = m0;
  let m2 = m0;
  let m3 = m0;
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    m0 = f32x4.pmax(m0, v128.load(x));
    m1 = f32x4.pmax(m1, v128.load(x, 16));
    m2 = f32x4.pmax(m2, v128.load(x, 32));
    m3 = f32x4.pmax(m3, v128.load(x, 48));
    x += 64;
  }
  m0 = f32x4.pmax(f32x4.pmax(m0, m1), f32x4.pmax(m2, m3));
  for (; i + 4 <= n; i += 4) {
    m0 = f32x4.pmax(m0, v128.load(x));
    x += 16;
  }
  let result = maxLanes(m0);
  for (; i < n; i++) {
    const value = load<f32>(x);
    if (value > result) result = value;
    x += 4;
  }
  return result;
}

/** The same, but NaN if there is one. */
function maxRowOrNaN(x: usize, n: i32): f32 {
  let missing = i32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const v = v128.load(x + (<usize>i << 2));
    missing = v128.or(missing, f32x4.ne(v, v));
  }
  if (v128.any_true(missing)) return NaN;
  for (; i < n; i++) {
    const value = load<f32>(x + (<usize>i << 2));
    if (value != value) return NaN;
  }
  return maxRow(x, n);
}

function rowTask(begin: i32, end: i32): void {
  const n = int(3);
  const op = int(0);
  for (let row = begin; row < end; row++) {
    const x = pointer(1) + ((<usize>row * <usize>n) << 2);
    const value = op == 0 ? <f32>(sumRow(x, n) * <f64>float(5)) : maxRowOrNaN(x, n);
    store<f32>(pointer(2) + (<usize>row << 2), value);
  }
}

// @ts-ignore: decorator
@inline
function combine(op: i32, a: v128, b: v128): v128 {
  return op == 0 ? f32x4.add(a, b) : f32x4.max(a, b);
}

/** 16 columns of one outer index, walked down the axis: one cache line per step. */
// @ts-ignore: decorator
@inline
function columns(op: i32, begin: i32, end: i32): void {
  const axis = int(3);
  const inner = int(4);
  const blocks = (inner + 15) >> 4;
  const scale = f32x4.splat(float(5));
  const row = <usize>inner << 2;
  const start = f32x4.splat(op == 0 ? 0 : -Infinity);
  for (let unit = begin; unit < end; unit++) {
    const outer = unit / blocks;
    const column = (unit - outer * blocks) << 4;
    const base = pointer(1) + (<usize>(outer * axis * inner + column) << 2);
    const out = pointer(2) + (<usize>(outer * inner + column) << 2);
    const width = min(16, inner - column);
    let c = 0;
    if (width == 16) {
      let t0 = start, t1 = start, t2 = start, t3 = start;
      let x = base;
      for (let r = 0; r < axis; ) {
        let s0 = start, s1 = start, s2 = start, s3 = start;
        const stop = min(axis, r + BLOCK);
        for (; r < stop; r++) {
          s0 = combine(op, s0, v128.load(x));
          s1 = combine(op, s1, v128.load(x, 16));
          s2 = combine(op, s2, v128.load(x, 32));
          s3 = combine(op, s3, v128.load(x, 48));
          x += row;
        }
        t0 = combine(op, t0, s0);
        t1 = combine(op, t1, s1);
        t2 = combine(op, t2, s2);
        t3 = combine(op, t3, s3);
      }
      if (op == 0) {
        t0 = f32x4.mul(t0, scale);
        t1 = f32x4.mul(t1, scale);
        t2 = f32x4.mul(t2, scale);
        t3 = f32x4.mul(t3, scale);
      }
      v128.store(out, t0);
      v128.store(out, t1, 16);
      v128.store(out, t2, 32);
      v128.store(out, t3, 48);
      c = 16;
    }
    for (; c < width; c++) {
      let x = base + (<usize>c << 2);
      let total: f64 = 0;
      let top: f32 = -Infinity;
      for (let r = 0; r < axis; r++) {
        if (op == 0) total += load<f32>(x);
        else top = max(top, load<f32>(x));
        x += row;
      }
      store<f32>(out + (<usize>c << 2), op == 0 ? <f32>(total * <f64>float(5)) : top);
    }
  }
}

function columnTask(begin: i32, end: i32): void {
  if (int(0) == 0) columns(0, begin, end);
  else columns(1, begin, end);
}

/** op 0: scale · sum, 1: maximum, of x[outer, axis, inner] over the axis. */
export function reduce(
  op: i32, x: usize, out: usize, outer: i32, axis: i32, inner: i32, scale: f32,
): void {
  setInt(0, op);
  setPointer(1, x);
  setPointer(2, out);
  setInt(3, axis);
  setInt(4, inner);
  setFloat(5, scale);
  if (inner == 1) parallel(rowTask.index, outer, max(1, 4096 / max(axis, 1)));
  else {
    const blocks = (inner + 15) >> 4;
    parallel(columnTask.index, outer * blocks, max(1, 512 / max(axis, 1)));
  }
}

const SQUARES: i32 = 16384;

function squaresTask(begin: i32, end: i32): void {
  const n = int(2);
  for (let unit = begin; unit < end; unit++) {
    let x = pointer(0) + ((<usize>unit * SQUARES) << 2);
    const stop = min(n - unit * SQUARES, SQUARES);
    let total: f64 = 0;
    let i = 0;
    while (stop - i >= 16) {
      // Four sums that do not wait for each other.
      let s0 = f32x4.splat(0);
      let s1 = s0;
      let s2 = s0;
      let s3 = s0;
      const limit = min(stop, i + BLOCK) - 15;
      for (; i < limit; i += 16) {
        const v0 = v128.load(x);
        const v1 = v128.load(x, 16);
        const v2 = v128.load(x, 32);
        const v3 = v128.load(x, 48);
        s0 = f32x4.add(s0, f32x4.mul(v0, v0));
        s1 = f32x4.add(s1, f32x4.mul(v1, v1));
        s2 = f32x4.add(s2, f32x4.mul(v2, v2));
        s3 = f32x4.add(s3, f32x4.mul(v3, v3));
        x += 64;
      }
      total += sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
    }
    for (; i < stop; i++) {
      total += load<f32>(x) * load<f32>(x);
      x += 4;
    }
    store<f64>(pointer(1) + (<usize>unit << 3), total);
  }
}

/** Sums of squares of x in pieces of 16384, as float64 at `out`; returns how many. */
export function sumSquares(x: usize, n: i32, out: usize): i32 {
  setPointer(0, x);
  setPointer(1, out);
  setInt(2, n);
  const units = (n + SQUARES - 1) / SQUARES;
  parallel(squaresTask.index, units, 1);
  return units;
}

/** Square root of the sum of `count` float64 values. */
export function rootOfSum(partial: usize, count: i32, out: usize): void {
  let total: f64 = 0;
  for (let i = 0; i < count; i++) total += load<f64>(partial + (<usize>i << 3));
  store<f32>(out, <f32>sqrt(total));
}
