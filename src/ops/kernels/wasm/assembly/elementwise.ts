/**
 * Functions of one or two tensors, element by element. An element's value does not depend on its
 * place: the last 1 to 3 elements go through the same vector code.
 */
import { verf, vexp, vlog, vsigmoid, vtanh } from "./math";
import { loadPart, storePart } from "./simd";
import { int, parallel, pointer, setInt, setPointer } from "./threads";

/** Floats per unit of work: large enough to outweigh the claim, small enough to share. */
const CHUNK: i32 = 4096;

// @ts-ignore: decorator
@inline
function unaryValue(op: i32, x: v128): v128 {
  if (op == 0) return f32x4.neg(x);
  if (op == 1) return f32x4.abs(x);
  if (op == 2) return f32x4.mul(x, x);
  if (op == 3) return f32x4.sqrt(x);
  if (op == 4) return f32x4.div(f32x4.splat(1), f32x4.sqrt(x));
  if (op == 5) return f32x4.div(f32x4.splat(1), x);
  if (op == 6) return vexp(x);
  if (op == 7) return vlog(x);
  if (op == 8) return vtanh(x);
  if (op == 9) return vsigmoid(x);
  if (op == 10) return verf(x);
  if (op == 11) return f32x4.max(x, f32x4.splat(0));
  if (op == 12) return f32x4.floor(x);
  return f32x4.nearest(x);
}

// @ts-ignore: decorator
@inline
function unaryLoop(op: i32, begin: i32, end: i32): void {
  let x = pointer(1) + (<usize>begin << 2);
  let out = pointer(2) + (<usize>begin << 2);
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    v128.store(out, unaryValue(op, v128.load(x)));
    x += 16;
    out += 16;
  }
  if (i < end) storePart(out, unaryValue(op, loadPart(x, end - i, 1)), end - i);
}

function unaryTask(beginUnit: i32, endUnit: i32): void {
  const begin = beginUnit * CHUNK;
  const end = min(endUnit * CHUNK, int(3));
  switch (int(0)) {
    case 0: return unaryLoop(0, begin, end);
    case 1: return unaryLoop(1, begin, end);
    case 2: return unaryLoop(2, begin, end);
    case 3: return unaryLoop(3, begin, end);
    case 4: return unaryLoop(4, begin, end);
    case 5: return unaryLoop(5, begin, end);
    case 6: return unaryLoop(6, begin, end);
    case 7: return unaryLoop(7, begin, end);
    case 8: return unaryLoop(8, begin, end);
    case 9: return unaryLoop(9, begin, end);
    case 10: return unaryLoop(10, begin, end);
    case 11: return unaryLoop(11, begin, end);
    case 12: return unaryLoop(12, begin, end);
    default: return unaryLoop(13, begin, end);
  }
}

/** out = op(x), n floats; the numbers of the functions are in ../tfjs-ops/elementwise.ts. */
export function unary(op: i32, x: usize, out: usize, n: i32): void {
  setInt(0, op);
  setPointer(1, x);
  setPointer(2, out);
  setInt(3, n);
  parallel(unaryTask.index, (n + CHUNK - 1) / CHUNK, op >= 6 && op <= 10 ? 1 : 4);
}

// @ts-ignore: decorator
@inline
function binaryValue(op: i32, a: v128, b: v128): v128 {
  if (op == 0) return f32x4.add(a, b);
  if (op == 1) return f32x4.sub(a, b);
  if (op == 2) return f32x4.mul(a, b);
  if (op == 3) return f32x4.div(a, b);
  if (op == 4) return f32x4.max(a, b);
  if (op == 5) return f32x4.min(a, b);
  const d = f32x4.sub(a, b);
  return f32x4.mul(d, d);
}

// @ts-ignore: decorator
@inline
function binaryLoop(op: i32, begin: i32, end: i32): void {
  let a = pointer(1) + (<usize>begin << 2);
  let b = pointer(2) + (<usize>begin << 2);
  let out = pointer(3) + (<usize>begin << 2);
  let i = begin;
  for (; i + 8 <= end; i += 8) {
    v128.store(out, binaryValue(op, v128.load(a), v128.load(b)));
    v128.store(out, binaryValue(op, v128.load(a, 16), v128.load(b, 16)), 16);
    a += 32;
    b += 32;
    out += 32;
  }
  for (; i < end; i += 4) {
    const rest = end - i;
    if (rest >= 4) {
      v128.store(out, binaryValue(op, v128.load(a), v128.load(b)));
      a += 16;
      b += 16;
      out += 16;
    } else storePart(out, binaryValue(op, loadPart(a, rest, 1), loadPart(b, rest, 1)), rest);
  }
}

function binaryTask(beginUnit: i32, endUnit: i32): void {
  const begin = beginUnit * CHUNK;
  const end = min(endUnit * CHUNK, int(4));
  switch (int(0)) {
    case 0: return binaryLoop(0, begin, end);
    case 1: return binaryLoop(1, begin, end);
    case 2: return binaryLoop(2, begin, end);
    case 3: return binaryLoop(3, begin, end);
    case 4: return binaryLoop(4, begin, end);
    case 5: return binaryLoop(5, begin, end);
    default: return binaryLoop(6, begin, end);
  }
}

/** out = op(a, b) for tensors of one shape. `out` may be `a` or `b`. */
export function binary(op: i32, a: usize, b: usize, out: usize, n: i32): void {
  setInt(0, op);
  setPointer(1, a);
  setPointer(2, b);
  setPointer(3, out);
  setInt(4, n);
  parallel(binaryTask.index, (n + CHUNK - 1) / CHUNK, 4);
}

// @ts-ignore: decorator
@inline
function rowLoop(op: i32, a: usize, stepA: i32, b: usize, stepB: i32, out: usize, n: i32): void {
  let i = 0;
  if (stepA != 0 && stepB != 0) {
    for (; i + 4 <= n; i += 4) {
      v128.store(out, binaryValue(op, v128.load(a), v128.load(b)));
      a += 16;
      b += 16;
      out += 16;
    }
  } else if (stepA != 0) {
    const fixed = v128.load32_splat(b);
    for (; i + 4 <= n; i += 4) {
      v128.store(out, binaryValue(op, v128.load(a), fixed));
      a += 16;
      out += 16;
    }
  } else {
    const fixed = v128.load32_splat(a);
    for (; i + 4 <= n; i += 4) {
      const second = stepB != 0 ? v128.load(b) : v128.load32_splat(b);
      v128.store(out, binaryValue(op, fixed, second));
      if (stepB != 0) b += 16;
      out += 16;
    }
  }
  const rest = n - i;
  if (rest > 0) {
    const first = stepA != 0 ? loadPart(a, rest, 1) : v128.load32_splat(a);
    const second = stepB != 0 ? loadPart(b, rest, 1) : v128.load32_splat(b);
    storePart(out, binaryValue(op, first, second), rest);
  }
}

function broadcastTask(begin: i32, end: i32): void {
  const op = int(0);
  const inner = int(4);
  const n = int(5);
  const stepA = int(8);
  const stepB = int(11);
  for (let row = begin; row < end; row++) {
    const p = row / inner;
    const q = row - p * inner;
    const a = pointer(1) + (<usize>(p * int(6) + q * int(7)) << 2);
    const b = pointer(2) + (<usize>(p * int(9) + q * int(10)) << 2);
    const out = pointer(3) + ((<usize>row * <usize>n) << 2);
    switch (op) {
      case 0: rowLoop(0, a, stepA, b, stepB, out, n); break;
      case 1: rowLoop(1, a, stepA, b, stepB, out, n); break;
      case 2: rowLoop(2, a, stepA, b, stepB, out, n); break;
      case 3: rowLoop(3, a, stepA, b, stepB, out, n); break;
      case 4: rowLoop(4, a, stepA, b, stepB, out, n); break;
      case 5: rowLoop(5, a, stepA, b, stepB, out, n); break;
      default: rowLoop(6, a, stepA, b, stepB, out, n); break;
    }
  }
}

/**
 * out[p, q, i] = op(a, b) where each operand has its own stride for every axis, 0 where it is
 * broadcast; the last stride is 0 or 1. Scalars, rows, columns and batches are cases of it.
 */
export function binaryBroadcast(
  op: i32, a: usize, b: usize, out: usize, outer: i32, inner: i32, n: i32,
  a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
): void {
  if (n == 0) return;
  setInt(0, op);
  setPointer(1, a);
  setPointer(2, b);
  setPointer(3, out);
  setInt(4, inner);
  setInt(5, n);
  setInt(6, a0);
  setInt(7, a1);
  setInt(8, a2);
  setInt(9, b0);
  setInt(10, b1);
  setInt(11, b2);
  parallel(broadcastTask.index, outer * inner, max(1, 8192 / n));
}

export function fill(out: usize, value: f32, n: i32): void {
  if (value == 0 && reinterpret<i32>(value) == 0) {
    memory.fill(out, 0, <usize>n << 2);
    return;
  }
  for (let i = 0; i < n; i++) store<f32>(out + (<usize>i << 2), value);
}
