/** RMS norm and layer norm of rows, forward and backward. Row widths need not be multiples of 4. */
import { fma, loadPart, storePart, sumLanes } from "./simd";
import { float, int, parallel, pointer, setFloat, setInt, setPointer } from "./threads";

/**
 * One row of `normForward`; y may be x. Gives the scale, and writes the mean where `mean` is not 0.
 */
// @ts-ignore: decorator
@inline
export function normRow(
  x: usize, weight: usize, bias: usize, y: usize, mean: usize, n: i32, epsilon: f32,
): f32 {
  let average: f32 = 0;
  if (mean) {
    let s = f32x4.splat(0);
    let i = 0;
    for (; i + 4 <= n; i += 4) s = f32x4.add(s, v128.load(x + (<usize>i << 2)));
    if (i < n) s = f32x4.add(s, loadPart(x + (<usize>i << 2), n - i, 0));
    average = sumLanes(s) / <f32>n;
    store<f32>(mean, average);
  }
  const m = f32x4.splat(average);
  let q = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const d = f32x4.sub(v128.load(x + (<usize>i << 2)), m);
    q = fma(d, d, q);
  }
  if (i < n) {
    const d = f32x4.sub(loadPart(x + (<usize>i << 2), n - i, average), m);
    q = fma(d, d, q);
  }
  const scale: f32 = 1 / sqrt<f32>(sumLanes(q) / <f32>n + epsilon);
  const s = f32x4.splat(scale);
  for (i = 0; i + 4 <= n; i += 4) {
    const at = <usize>i << 2;
    const v = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(x + at), m), s), v128.load(weight + at));
    v128.store(y + at, bias ? f32x4.add(v, v128.load(bias + at)) : v);
  }
  if (i < n) {
    const at = <usize>i << 2;
    const rest = n - i;
    const d = f32x4.sub(loadPart(x + at, rest, 0), m);
    const v = f32x4.mul(f32x4.mul(d, s), loadPart(weight + at, rest, 0));
    storePart(y + at, bias ? f32x4.add(v, loadPart(bias + at, rest, 0)) : v, rest);
  }
  return scale;
}

// Arguments: 0 x, 1 weight, 2 bias (0 for RMS), 3 y, 4 mean (0 for RMS), 5 scale, 6 width, 7 epsilon
function forwardTask(begin: i32, end: i32): void {
  const n = int(6);
  const weight = pointer(1);
  const bias = pointer(2);
  for (let row = begin; row < end; row++) {
    const at = (<usize>row * <usize>n) << 2;
    const mean = pointer(4) ? pointer(4) + (<usize>row << 2) : 0;
    const scale = normRow(pointer(0) + at, weight, bias, pointer(3) + at, mean, n, float(7));
    store<f32>(pointer(5) + (<usize>row << 2), scale);
  }
}

/** y = (x - mean)·scale·weight + bias; `bias` and `mean` are 0 for RMS norm, where mean is 0. */
export function normForward(
  x: usize, weight: usize, bias: usize, y: usize, mean: usize, scale: usize,
  rows: i32, width: i32, epsilon: f32,
): void {
  setPointer(0, x);
  setPointer(1, weight);
  setPointer(2, bias);
  setPointer(3, y);
  setPointer(4, mean);
  setPointer(5, scale);
  setInt(6, width);
  setFloat(7, epsilon);
  parallel(forwardTask.index, rows, max(1, 4096 / max(width, 1)));
}

// Arguments: 0 dy, 1 x, 2 weight, 3 mean or 0, 4 scale, 5 dx, 6 width, 7 dweight, 8 dbias or 0, 9 rows
function inputTask(begin: i32, end: i32): void {
  const n = int(6);
  const weight = pointer(2);
  const centred = pointer(3) != 0;
  for (let row = begin; row < end; row++) {
    const base = (<usize>row * <usize>n) << 2;
    const dy = pointer(0) + base;
    const x = pointer(1) + base;
    const dx = pointer(5) + base;
    const m = f32x4.splat(centred ? load<f32>(pointer(3) + (<usize>row << 2)) : 0);
    const s = v128.load32_splat(pointer(4) + (<usize>row << 2));
    let projection = f32x4.splat(0);
    let total = f32x4.splat(0);
    let i = 0;
    for (; i + 4 <= n; i += 4) {
      const at = <usize>i << 2;
      const g = f32x4.mul(v128.load(dy + at), v128.load(weight + at));
      const xhat = f32x4.mul(f32x4.sub(v128.load(x + at), m), s);
      projection = fma(g, xhat, projection);
      total = f32x4.add(total, g);
    }
    if (i < n) {
      const at = <usize>i << 2;
      const rest = n - i;
      const g = f32x4.mul(loadPart(dy + at, rest, 0), loadPart(weight + at, rest, 0));
      const xhat = f32x4.mul(f32x4.sub(loadPart(x + at, rest, 0), m), s);
      projection = fma(g, xhat, projection);
      total = f32x4.add(total, g);
    }
    const p = f32x4.splat(sumLanes(projection) / <f32>n);
    const mean = f32x4.splat(centred ? sumLanes(total) / <f32>n : 0);
    for (i = 0; i + 4 <= n; i += 4) {
      const at = <usize>i << 2;
      const g = f32x4.mul(v128.load(dy + at), v128.load(weight + at));
      const xhat = f32x4.mul(f32x4.sub(v128.load(x + at), m), s);
      const d = f32x4.sub(f32x4.sub(g, mean), f32x4.mul(xhat, p));
      v128.store(dx + at, f32x4.mul(d, s));
    }
    if (i < n) {
      const at = <usize>i << 2;
      const rest = n - i;
      const g = f32x4.mul(loadPart(dy + at, rest, 0), loadPart(weight + at, rest, 0));
      const xhat = f32x4.mul(f32x4.sub(loadPart(x + at, rest, 0), m), s);
      const d = f32x4.sub(f32x4.sub(g, mean), f32x4.mul(xhat, p));
      storePart(dx + at, f32x4.mul(d, s), rest);
    }
  }
}

/** 8 columns over all rows, so that no two threads add into one place. */
function weightTask(begin: i32, end: i32): void {
  const n = int(6);
  const rows = int(9);
  const row = <usize>n << 2;
  for (let unit = begin; unit < end; unit++) {
    const column = unit << 2;
    const rest = n - column;
    let dy = pointer(0) + (<usize>column << 2);
    let x = pointer(1) + (<usize>column << 2);
    let mean = pointer(3);
    let scale = pointer(4);
    let dw = f32x4.splat(0);
    let db = dw;
    for (let r = 0; r < rows; ) {
      let w = f32x4.splat(0);
      let b = w;
      const stop = min(rows, r + 256);
      for (; r < stop; r++) {
        const g = rest >= 4 ? v128.load(dy) : loadPart(dy, rest, 0);
        let v = rest >= 4 ? v128.load(x) : loadPart(x, rest, 0);
        if (mean) {
          v = f32x4.sub(v, v128.load32_splat(mean));
          mean += 4;
        }
        w = fma(g, f32x4.mul(v, v128.load32_splat(scale)), w);
        b = f32x4.add(b, g);
        dy += row;
        x += row;
        scale += 4;
      }
      dw = f32x4.add(dw, w);
      db = f32x4.add(db, b);
    }
    const at = <usize>column << 2;
    if (rest >= 4) {
      v128.store(pointer(7) + at, dw);
      if (pointer(8)) v128.store(pointer(8) + at, db);
    } else {
      storePart(pointer(7) + at, dw, rest);
      if (pointer(8)) storePart(pointer(8) + at, db, rest);
    }
  }
}

/** Gradients of `normForward`; `mean` and `dbias` are 0 for RMS norm. */
export function normBackward(
  dy: usize, x: usize, weight: usize, mean: usize, scale: usize,
  dx: usize, dweight: usize, dbias: usize, rows: i32, width: i32,
): void {
  setPointer(0, dy);
  setPointer(1, x);
  setPointer(2, weight);
  setPointer(3, mean);
  setPointer(4, scale);
  setPointer(5, dx);
  setInt(6, width);
  setPointer(7, dweight);
  setPointer(8, dbias);
  setInt(9, rows);
  parallel(inputTask.index, rows, max(1, 4096 / max(width, 1)));
  // 4 units share a cache line.
  parallel(weightTask.index, (width + 3) >> 2, 4);
}
