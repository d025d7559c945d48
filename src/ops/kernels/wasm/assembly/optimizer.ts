import { loadPart, storePart } from "./simd";
import { float, int, parallel, pointer, setFloat, setInt, setPointer } from "./threads";

const CHUNK: i32 = 4096;

// Arguments: 0..3 parameter, m, v, gradient; 4 scale; 5..7 outputs; 8 n;
// 9 beta1, 10 1-beta1, 11 beta2, 12 1-beta2, 13 epsilon, 14 rate, 15 keep, 16 root factor
// @ts-ignore: decorator
@inline
function step(p: v128, m: v128, v: v128, g: v128, at: usize, count: i32): void {
  const first = f32x4.add(
    f32x4.mul(m, f32x4.splat(float(9))), f32x4.mul(g, f32x4.splat(float(10))),
  );
  const second = f32x4.add(
    f32x4.mul(v, f32x4.splat(float(11))),
    f32x4.mul(f32x4.mul(g, g), f32x4.splat(float(12))),
  );
  const root = f32x4.add(
    f32x4.mul(f32x4.sqrt(second), f32x4.splat(float(16))), f32x4.splat(float(13)),
  );
  const change = f32x4.mul(f32x4.div(first, root), f32x4.splat(float(14)));
  const next = f32x4.sub(f32x4.mul(p, f32x4.splat(float(15))), change);
  if (count == 4) {
    v128.store(pointer(5) + at, next);
    v128.store(pointer(6) + at, first);
    v128.store(pointer(7) + at, second);
  } else {
    storePart(pointer(5) + at, next, count);
    storePart(pointer(6) + at, first, count);
    storePart(pointer(7) + at, second, count);
  }
}

function adamwTask(beginUnit: i32, endUnit: i32): void {
  const end = min(endUnit * CHUNK, int(8));
  const scale = v128.load32_splat(pointer(4));
  let i = beginUnit * CHUNK;
  for (; i + 4 <= end; i += 4) {
    const at = <usize>i << 2;
    const g = f32x4.mul(v128.load(pointer(3) + at), scale);
    const p = v128.load(pointer(0) + at);
    step(p, v128.load(pointer(1) + at), v128.load(pointer(2) + at), g, at, 4);
  }
  const rest = end - i;
  if (rest > 0) {
    const at = <usize>i << 2;
    const g = f32x4.mul(loadPart(pointer(3) + at, rest, 0), scale);
    const p = loadPart(pointer(0) + at, rest, 0);
    const v = loadPart(pointer(2) + at, rest, 0);
    step(p, loadPart(pointer(1) + at, rest, 0), v, g, at, rest);
  }
}

/** One AdamW step; outputs may be the inputs. `keep` = 1 - rate·decay; see ../../adamw-update.ts. */
export function adamw(
  parameter: usize, m: usize, v: usize, gradient: usize, scale: usize,
  outParameter: usize, outM: usize, outV: usize, n: i32,
  beta1: f32, rest1: f32, beta2: f32, rest2: f32,
  epsilon: f32, rate: f32, keep: f32, rootFactor: f32,
): void {
  setPointer(0, parameter);
  setPointer(1, m);
  setPointer(2, v);
  setPointer(3, gradient);
  setPointer(4, scale);
  setPointer(5, outParameter);
  setPointer(6, outM);
  setPointer(7, outV);
  setInt(8, n);
  setFloat(9, beta1);
  setFloat(10, rest1);
  setFloat(11, beta2);
  setFloat(12, rest2);
  setFloat(13, epsilon);
  setFloat(14, rate);
  setFloat(15, keep);
  setFloat(16, rootFactor);
  parallel(adamwTask.index, (n + CHUNK - 1) / CHUNK, 2);
}
