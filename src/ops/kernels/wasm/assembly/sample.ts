/**
 * One token per row: the likeliest, or the one where the cumulative distribution passes a uniform,
 * after top-k and top-p have left some out. Both are a threshold on the exponentials of the logits,
 * found by partitioning as in quicksort, where only the side that has the threshold is looked at
 * again: linear in the vocabulary, with the same pivots in every run.
 */
import { vexpNegative, vlog } from "./math";
import { maxRow } from "./reduce";
import { loadPart, storePart, sumLanes } from "./simd";
import {
  float, int, parallel, pointer, scratch, SCRATCH_BYTES, setFloat, setInt, setPointer,
} from "./threads";

/** Entries whose exponentials are added up before the sum goes on in float64. */
const BLOCK: i32 = 64;

/** Longest row that fits into a thread's scratch, twice. */
export function longestSampledRow(): i32 {
  return SCRATCH_BYTES / 8 - 4;
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

// @ts-ignore: decorator
@inline
function get(values: usize, i: i32): f32 {
  return load<f32>(values + (<usize>i << 2));
}

// @ts-ignore: decorator
@inline
function swap(values: usize, i: i32, j: i32): void {
  const a = get(values, i);
  store<f32>(values + (<usize>i << 2), get(values, j));
  store<f32>(values + (<usize>j << 2), a);
}

/** What lies before the range that `cutOff` looks at, in count and mass. */
let countBefore: i32 = 0;
let massBefore: f64 = 0;

/**
 * The largest value v for which the values above it are at least `count` or hold at least `mass`,
 * whichever of the two is asked for: the values from v up are the `count` largest, or the fewest that
 * hold `mass` (with those that tie with the last). Reorders the values. Afterwards `countBefore` and
 * `massBefore` are those of the values above v.
 */
function cutOff(values: usize, n: i32, count: i32, mass: f64): f32 {
  let low = 0;
  let high = n;
  countBefore = 0;
  massBefore = 0;
  let lowest = get(values, 0);
  while (low < high) {
    const first = get(values, low);
    const middle = get(values, (low + high) >> 1);
    const last = get(values, high - 1);
    const pivot = max(min(first, middle), min(max(first, middle), last));
    // [low, above) are larger, [above, i) equal, [below, high) smaller.
    let above = low;
    let below = high;
    let sum: f64 = 0;
    for (let i = low; i < below; ) {
      const value = get(values, i);
      if (value > pivot) {
        sum += value;
        swap(values, i++, above++);
      } else if (value < pivot) swap(values, i, --below);
      else i++;
    }
    const larger = above - low;
    const equal = below - above;
    if (countBefore + larger >= count || massBefore + sum >= mass) {
      high = above;
      continue;
    }
    lowest = pivot;
    const equalMass = <f64>equal * <f64>pivot;
    countBefore += larger;
    massBefore += sum;
    if (countBefore + equal >= count || massBefore + equalMass >= mass) return pivot;
    countBefore += equal;
    massBefore += equalMass;
    low = below;
  }
  return lowest;
}

/** Sets the exponentials in scratch that top-k and top-p leave out to 0; returns the sum of the rest. */
function truncate(n: i32, topK: i32, topP: f32, total: f64): f64 {
  const copy = scratch + (<usize>n << 2);
  let threshold: f32 = 0;
  if (topK > 0) {
    memory.copy(copy, scratch, <usize>n << 2);
    threshold = cutOff(copy, n, topK, Infinity);
    // Of those that tie with the last, as many as make k.
    total = massBefore + <f64>(topK - countBefore) * <f64>threshold;
  }
  if (topP < 1) {
    memory.copy(copy, scratch, <usize>n << 2);
    threshold = max(threshold, cutOff(copy, n, i32.MAX_VALUE, <f64>topP * total));
  }
  let kept: f64 = 0;
  for (let i = 0; i < n; i++) {
    const value = get(scratch, i);
    if (value < threshold) store<f32>(scratch + (<usize>i << 2), 0);
    else kept += value;
  }
  return kept;
}

// Arguments: 0 logits, 1 uniforms or 0, 2 out, 3 rows, 4 n, 5 1/temperature, 6 top-k or 0, 7 top-p
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
      const truncates = int(6) > 0 || float(7) < 1;
      const kept = truncates ? truncate(n, int(6), float(7), drawn) : drawn;
      id = invert(n, <f64>load<f32>(pointer(1) + (<usize>row << 2)) * kept);
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
  topK: i32, topP: f32,
): void {
  setPointer(0, logits);
  setPointer(1, uniforms);
  setPointer(2, out);
  setInt(3, rows);
  setInt(4, n);
  setFloat(5, inverseTemperature);
  setInt(6, topK);
  setFloat(7, topP);
  parallel(sampleTask.index, rows, max(1, 2048 / max(1, n)));
}
