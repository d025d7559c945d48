/**
 * Statistics of two distributions for the log: see the op's reference in ops/row-losses/distribution-statistics.ts.
 * Two passes over a pair of rows: log-sums, then all sums at once, so that nothing is stored.
 */
import { vexpNegative, whereLikely } from "./math";
import { maxRow } from "./reduce";
import { fma, sumLanes } from "./simd";
import { laneMask, logProbability, logSum } from "./softmax";
import { int, parallel, pointer, setInt, setPointer } from "./threads";

/** Index of the first entry that equals the maximum. */
function firstAt(x: usize, n: i32, top: f32): i32 {
  for (let i = 0; i < n; i++) if (load<f32>(x + (<usize>i << 2)) == top) return i;
  return -1;
}

// Statistics: 0 student, 1 teacher, 2 out, 4 n
function statisticsTask(begin: i32, end: i32): void {
  const n = int(4);
  for (let row = begin; row < end; row++) {
    const base = (<usize>row * <usize>n) << 2;
    const s = pointer(0) + base;
    const t = pointer(1) + base;
    const topS = maxRow(s, n);
    const topT = maxRow(t, n);
    const logS = logSum(s, n, topS, 1);
    const logT = logSum(t, n, topT, 1);
    const zero = f32x4.splat(0);
    let forward = zero;
    let reverse = zero;
    let entropyS = zero;
    let entropyT = zero;
    let variation = zero;
    for (let j = 0; j < n; j += 4) {
      const at = <usize>j << 2;
      const rest = n - j;
      const ls = logProbability(s + at, rest, topS, 1, logS);
      const lt = logProbability(t + at, rest, topT, 1, logT);
      let ps = vexpNegative(ls);
      let pt = vexpNegative(lt);
      if (rest < 4) {
        ps = v128.and(ps, laneMask(rest));
        pt = v128.and(pt, laneMask(rest));
      }
      const gap = f32x4.sub(lt, ls);
      forward = fma(pt, whereLikely(lt, gap), forward);
      reverse = fma(ps, whereLikely(ls, gap), reverse);
      entropyS = fma(ps, whereLikely(ls, ls), entropyS);
      entropyT = fma(pt, whereLikely(lt, lt), entropyT);
      variation = f32x4.add(variation, f32x4.abs(f32x4.sub(pt, ps)));
    }
    const out = pointer(2) + (<usize>row * 6) * 4;
    store<f32>(out, sumLanes(forward));
    store<f32>(out, -sumLanes(reverse), 4);
    store<f32>(out, -sumLanes(entropyS), 8);
    store<f32>(out, -sumLanes(entropyT), 12);
    store<f32>(out, 0.5 * sumLanes(variation), 16);
    store<f32>(out, firstAt(s, n, topS) == firstAt(t, n, topT) ? 1 : 0, 20);
  }
}

export function statistics(
  student: usize, teacher: usize, out: usize, rows: i32, n: i32,
): void {
  setPointer(0, student);
  setPointer(1, teacher);
  setPointer(2, out);
  setInt(4, n);
  parallel(statisticsTask.index, rows, max(1, 2048 / max(1, n)));
}
