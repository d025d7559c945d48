import { loadPart, storePart } from "./simd";
import { float, parallel, pointer, setFloat, setPointer } from "./threads";

const CHUNK: i32 = 4096;

/**
 * A row of the table of parameters: addresses of parameter, m, v, gradient, the three results (which
 * may be the first three), number of elements, number of the first chunk, and keep = 1 - rate·decay.
 */
const ROW: usize = 40;

// Arguments: 0 table, 1 scale; 2 beta1, 3 1-beta1, 4 beta2, 5 1-beta2, 6 epsilon, 7 rate,
// 8 root factor
// @ts-ignore: decorator
@inline
function step(p: v128, m: v128, v: v128, g: v128, row: usize, at: usize, count: i32): void {
  const first = f32x4.add(
    f32x4.mul(m, f32x4.splat(float(2))), f32x4.mul(g, f32x4.splat(float(3))),
  );
  const second = f32x4.add(
    f32x4.mul(v, f32x4.splat(float(4))),
    f32x4.mul(f32x4.mul(g, g), f32x4.splat(float(5))),
  );
  const root = f32x4.add(
    f32x4.mul(f32x4.sqrt(second), f32x4.splat(float(8))), f32x4.splat(float(6)),
  );
  const change = f32x4.mul(f32x4.div(first, root), f32x4.splat(float(7)));
  const next = f32x4.sub(f32x4.mul(p, v128.load32_splat(row, 36)), change);
  const outP = load<usize>(row, 16) + at;
  const outM = load<usize>(row, 20) + at;
  const outV = load<usize>(row, 24) + at;
  if (count == 4) {
    v128.store(outP, next);
    v128.store(outM, first);
    v128.store(outV, second);
  } else {
    storePart(outP, next, count);
    storePart(outM, first, count);
    storePart(outV, second, count);
  }
}

/** Elements begin..end-1 of the parameter in one row of the table. */
function update(row: usize, begin: i32, end: i32): void {
  const scale = v128.load32_splat(pointer(1));
  const p = load<usize>(row);
  const m = load<usize>(row, 4);
  const v = load<usize>(row, 8);
  const g = load<usize>(row, 12);
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    const at = <usize>i << 2;
    const scaled = f32x4.mul(v128.load(g + at), scale);
    step(v128.load(p + at), v128.load(m + at), v128.load(v + at), scaled, row, at, 4);
  }
  const rest = end - i;
  if (rest > 0) {
    const at = <usize>i << 2;
    const scaled = f32x4.mul(loadPart(g + at, rest, 0), scale);
    const moments = loadPart(m + at, rest, 0);
    step(loadPart(p + at, rest, 0), moments, loadPart(v + at, rest, 0), scaled, row, at, rest);
  }
}

function adamwTask(beginUnit: i32, endUnit: i32): void {
  let row = pointer(0);
  for (let unit = beginUnit; unit < endUnit; unit++) {
    let n = load<i32>(row, 28);
    let chunk = unit - load<i32>(row, 32);
    while (chunk * CHUNK >= n) {
      row += ROW;
      n = load<i32>(row, 28);
      chunk = unit - load<i32>(row, 32);
    }
    update(row, chunk * CHUNK, min((chunk + 1) * CHUNK, n));
  }
}

/**
 * One AdamW step of every parameter in a table; see ../../../optimizer/adamw-update.ts. Fills in the numbers of
 * the chunks.
 */
export function adamw(
  table: usize, count: i32, scale: usize,
  beta1: f32, rest1: f32, beta2: f32, rest2: f32, epsilon: f32, rate: f32, rootFactor: f32,
): void {
  let units = 0;
  for (let i = 0; i < count; i++) {
    const row = table + <usize>i * ROW;
    store<i32>(row, units, 32);
    units += (load<i32>(row, 28) + CHUNK - 1) / CHUNK;
  }
  setPointer(0, table);
  setPointer(1, scale);
  setFloat(2, beta1);
  setFloat(3, rest1);
  setFloat(4, beta2);
  setFloat(5, rest2);
  setFloat(6, epsilon);
  setFloat(7, rate);
  setFloat(8, rootFactor);
  parallel(adamwTask.index, units, 2);
}
