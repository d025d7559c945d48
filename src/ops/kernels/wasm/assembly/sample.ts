/** One token per row: the likeliest, or the one where the cumulative distribution passes a uniform. */
import { vexpNegative, vlog } from "./math";
import { maxRow } from "./reduce";
import { loadPart, storePart, sumLanes } from "./simd";
import {
  float, int, parallel, pointer, scratch, SCRATCH_BYTES, setFloat, setInt, setPointer,
} from "./threads";

/** Entries whose exponentials are added up before the sum goes on in float64. */
const BLOCK: i32 = 64;

/** Longest row that fits into a thread's scratch. */
export function longestSampledRow(): i32 {
  return SCRATCH_BYTES / 4 - 4;
}

/** e^((x - top)·k) of entries begin..end-1, kept in scratch; returns their sum. */
function exponentials(x: usize, begin: i32, end: i32, top: f32, k: f32): f32 {
  const m = f32x4.splat(top);
  const ks = f32x4.splat(k);
  let sum = f32x4.splat(0);
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    const at = <usize>i << 2;
    const e = vexpNegative(f32x4.mul(f32x4.sub(v128.load(x + at), m), ks));
    v128.store(scratch + at, e);
    sum = f32x4.add(sum, e);
  }
  if (i < end) {
    const at = <usize>i << 2;
    const e = vexpNegative(
      f32x4.mul(f32x4.sub(loadPart(x + at, end - i, -Infinity), m), ks),
    );
    storePart(scratch + at, e, end - i);
    sum = f32x4.add(sum, e);
  }
  return sumLanes(sum);
}

function rowTotal(x: usize, n: i32, top: f32, k: f32): f64 {
  let total: f64 = 0;
  for (let i = 0; i < n; i += BLOCK) total += exponentials(x, i, min(n, i + BLOCK), top, k);
  return total;
}

/** The first entry at which the sum of the exponentials in scratch exceeds `threshold`. */
function invert(n: i32, threshold: f64): i32 {
  let sum: f64 = 0;
  let last = 0;
  for (let i = 0; i < n; i += BLOCK) {
    const end = min(n, i + BLOCK);
    let block = f32x4.splat(0);
    let j = i;
    for (; j + 4 <= end; j += 4) block = f32x4.add(block, v128.load(scratch + (<usize>j << 2)));
    if (j < end) block = f32x4.add(block, loadPart(scratch + (<usize>j << 2), end - j, 0));
    const after = sum + sumLanes(block);
    if (after > threshold) {
      for (j = i; j < end; j++) {
        const e = load<f32>(scratch + (<usize>j << 2));
        if (e == 0) continue;
        last = j;
        sum += e;
        if (sum > threshold) break;
      }
      return last;
    }
    sum = after;
  }
  return last;
}

function firstMaximum(x: usize, n: i32, top: f32): i32 {
  for (let i = 0; i < n; i++) if (load<f32>(x + (<usize>i << 2)) == top) return i;
  return n - 1;
}

// Arguments: 0 logits, 1 uniforms or 0, 2 out, 3 rows, 4 n, 5 1/temperature
function sampleTask(begin: i32, end: i32): void {
  const n = int(4);
  const k = float(5);
  for (let row = begin; row < end; row++) {
    const x = pointer(0) + ((<usize>row * <usize>n) << 2);
    const top = maxRow(x, n);
    let id: i32;
    let total: f64;
    if (pointer(1)) {
      const drawn = rowTotal(x, n, top, k);
      id = invert(n, <f64>load<f32>(pointer(1) + (<usize>row << 2)) * drawn);
      total = k == 1 ? drawn : rowTotal(x, n, top, 1);
    } else {
      id = firstMaximum(x, n, top);
      total = rowTotal(x, n, top, 1);
    }
    const log = f32x4.extract_lane(vlog(f32x4.splat(<f32>total)), 0);
    store<f32>(pointer(2) + (<usize>row << 2), <f32>id);
    const logit = load<f32>(x + (<usize>id << 2));
    store<f32>(pointer(2) + (<usize>(int(3) + row) << 2), logit - top - log);
  }
}

/** out[0, row] = the token of a row, out[1, row] = its log-probability at temperature 1. */
export function sample(
  logits: usize, uniforms: usize, out: usize, rows: i32, n: i32, inverseTemperature: f32,
): void {
  setPointer(0, logits);
  setPointer(1, uniforms);
  setPointer(2, out);
  setInt(3, rows);
  setInt(4, n);
  setFloat(5, inverseTemperature);
  parallel(sampleTask.index, rows, max(1, 2048 / max(1, n)));
}
