/** SwiGLU, SiLU and GELU with their gradients, each in one pass over memory. */
import { verf, vexp, vsigmoid, vtanh } from "./math";
import { fma, loadPart, storePart } from "./simd";
import { int, parallel, pointer, setInt, setPointer } from "./threads";

const CHUNK: i32 = 2048;
const ROOT_TWO_OVER_PI: f32 = 0.7978845608028654;
const CUBIC: f32 = 0.044715;
const ROOT_HALF: f32 = 0.7071067811865476;
const DENSITY: f32 = 0.3989422804014327;

// Up to three inputs (a, b, c) and two outputs (y, z) per element. `op`:
// 0 silu(a)·b   1 its gradients from dy = c (see gatedGradients)   2 silu(a)   3 its gradient, dy = c
// 4 gelu(a) tanh   5 its gradient, dy = c   6 gelu(a) erf   7 its gradient, dy = c
// @ts-ignore: decorator
@inline
function first(op: i32, a: v128, b: v128, c: v128): v128 {
  const one = f32x4.splat(1);
  if (op == 0) return f32x4.mul(f32x4.mul(a, vsigmoid(a)), b);
  if (op == 2) return f32x4.mul(a, vsigmoid(a));
  if (op == 3) {
    const s = vsigmoid(a);
    return f32x4.mul(c, f32x4.mul(s, fma(a, f32x4.sub(one, s), one)));
  }
  const half = f32x4.splat(0.5);
  if (op == 4 || op == 5) {
    const square = f32x4.mul(a, a);
    const inner = f32x4.mul(fma(square, f32x4.splat(CUBIC), one), a);
    const t = vtanh(f32x4.mul(inner, f32x4.splat(ROOT_TWO_OVER_PI)));
    const gate = f32x4.mul(f32x4.add(t, one), half);
    if (op == 4) return f32x4.mul(a, gate);
    const slope = f32x4.mul(
      fma(square, f32x4.splat(3 * CUBIC), one), f32x4.splat(ROOT_TWO_OVER_PI),
    );
    const bend = f32x4.mul(f32x4.mul(f32x4.sub(one, f32x4.mul(t, t)), slope), a);
    return f32x4.mul(c, fma(bend, half, gate));
  }
  const gate = f32x4.mul(f32x4.add(verf(f32x4.mul(a, f32x4.splat(ROOT_HALF))), one), half);
  if (op == 6) return f32x4.mul(a, gate);
  const density = f32x4.mul(
    vexp(f32x4.mul(f32x4.mul(a, a), f32x4.splat(-0.5))), f32x4.splat(DENSITY),
  );
  return f32x4.mul(c, fma(a, density, gate));
}

/** The activations themselves: op 2, 4 or 6. */
export function activate(op: i32, a: v128): v128 {
  if (op == 2) return first(2, a, a, a);
  return op == 4 ? first(4, a, a, a) : first(6, a, a, a);
}

/** Gradients of silu(a)·b for a, at y, and b, at z, of `count` elements. */
// @ts-ignore: decorator
@inline
function gatedGradients(a: v128, b: v128, dy: v128, y: usize, z: usize, count: i32): void {
  const s = vsigmoid(a);
  const silu = f32x4.mul(a, s);
  const slope = f32x4.add(s, f32x4.sub(silu, f32x4.mul(silu, s)));
  const da = f32x4.mul(f32x4.mul(dy, b), slope);
  const db = f32x4.mul(dy, silu);
  if (count == 4) {
    v128.store(y, da);
    v128.store(z, db);
  } else {
    storePart(y, da, count);
    storePart(z, db, count);
  }
}

// @ts-ignore: decorator
@inline
function loop(op: i32, begin: i32, end: i32): void {
  const at = <usize>begin << 2;
  let a = pointer(1) + at;
  let b = pointer(2) + at;
  let c = pointer(3) + at;
  let y = pointer(4) + at;
  let z = pointer(5) + at;
  const readsB = op == 0 || op == 1;
  const readsC = (op & 1) != 0;
  const zero = f32x4.splat(0);
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    const va = v128.load(a);
    const vb = readsB ? v128.load(b) : zero;
    const vc = readsC ? v128.load(c) : zero;
    if (op == 1) gatedGradients(va, vb, vc, y, z, 4);
    else v128.store(y, first(op, va, vb, vc));
    a += 16;
    b += 16;
    c += 16;
    y += 16;
    z += 16;
  }
  const rest = end - i;
  if (rest > 0) {
    const va = loadPart(a, rest, 0);
    const vb = readsB ? loadPart(b, rest, 0) : zero;
    const vc = readsC ? loadPart(c, rest, 0) : zero;
    if (op == 1) gatedGradients(va, vb, vc, y, z, rest);
    else storePart(y, first(op, va, vb, vc), rest);
  }
}

function activationTask(beginUnit: i32, endUnit: i32): void {
  const begin = beginUnit * CHUNK;
  const end = min(endUnit * CHUNK, int(6));
  const op = int(0);
  if (op == 0) loop(0, begin, end);
  else if (op == 1) loop(1, begin, end);
  else if (op == 2) loop(2, begin, end);
  else if (op == 3) loop(3, begin, end);
  else if (op == 4) loop(4, begin, end);
  else if (op == 5) loop(5, begin, end);
  else if (op == 6) loop(6, begin, end);
  else loop(7, begin, end);
}

export function activation(
  op: i32, a: usize, b: usize, c: usize, y: usize, z: usize, n: i32,
): void {
  setInt(0, op);
  setPointer(1, a);
  setPointer(2, b);
  setPointer(3, c);
  setPointer(4, y);
  setPointer(5, z);
  setInt(6, n);
  parallel(activationTask.index, (n + CHUNK - 1) / CHUNK, 1);
}
