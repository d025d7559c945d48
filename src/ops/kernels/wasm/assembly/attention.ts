/**
 * Causal attention of one (batch, head) after the other, reading and writing the [B, T, H, hd]
 * layout in place: no transposed copies. The probabilities are kept for the gradient, since writing
 * and reading them is cheaper than computing the scores and exponentials again; a causal model needs
 * only their lower triangle, which is walked in blocks of ROWS queries: a block multiplies with the
 * keys from the first to the last that one of its queries sees, so that sequences packed into a row,
 * or a sliding window, cost what they see. Key heads that are shared (GQA) get their gradients from one thread.
 */
import { vexpNegative } from "./math";
import { matmulHere } from "./matmul";
import { maxRow } from "./reduce";
import { fma, loadPart, storePart, sumLanes } from "./simd";
import {
  float, int, parallel, pointer, scratch, SCRATCH_BYTES, setFloat, setInt, setPointer,
} from "./threads";

const ROWS: i32 = 48;
/** Below this many queries packing the keys costs more than it saves. */
const FEW: i32 = 4;

// Arguments: 0 query, 1 key, 2 value, 3 keyMask or 0, 4 output, 5 probabilities,
// 6 T, 7 S, 8 H, 9 Hkv, 10 hd, 11 scale, 12 dy, 13 dquery, 14 dkey, 15 dvalue, 16 per-unit memory,
// 17 firstKeys or 0

/** The first key that one of the queries t0..t0+rows-1 sees: at most the last key of query t0. */
function lowestKey(firstKeys: usize, t0: i32, rows: i32, lastOfT0: i32): i32 {
  if (!firstKeys) return 0;
  let lowest = lastOfT0;
  for (let t = t0; t < t0 + rows; t++) lowest = min(lowest, load<i32>(firstKeys + (<usize>t << 2)));
  return max(0, lowest);
}

/** The first key that query t sees, counted from `low`; `seen` if it sees none of them. */
// @ts-ignore: decorator
@inline
function firstKey(firstKeys: usize, t: i32, low: i32, seen: i32): i32 {
  if (!firstKeys) return 0;
  return min(seen, max(0, load<i32>(firstKeys + (<usize>t << 2)) - low));
}

/** Softmax in place over the `seen` keys of a row, with the scale and the mask; zero after them. */
export function softmaxRow(p: usize, mask: usize, seen: i32, end: i32, scale: f32): void {
  const s = f32x4.splat(scale);
  let i = 0;
  for (; i + 4 <= seen; i += 4) {
    const at = p + (<usize>i << 2);
    let v = f32x4.mul(v128.load(at), s);
    if (mask) {
      const visible = f32x4.ne(v128.load(mask + (<usize>i << 2)), f32x4.splat(0));
      v = v128.bitselect(v, f32x4.splat(-Infinity), visible);
    }
    v128.store(at, v);
  }
  for (; i < seen; i++) {
    const at = p + (<usize>i << 2);
    const visible = !mask || load<f32>(mask + (<usize>i << 2)) != 0;
    store<f32>(at, visible ? load<f32>(at) * scale : -Infinity);
  }
  const top = maxRow(p, seen);
  let factor = f32x4.splat(0);
  if (top != -Infinity) {
    const m = f32x4.splat(top);
    let total = f32x4.splat(0);
    for (i = 0; i + 4 <= seen; i += 4) {
      const at = p + (<usize>i << 2);
      const e = vexpNegative(f32x4.sub(v128.load(at), m));
      total = f32x4.add(total, e);
      v128.store(at, e);
    }
    if (i < seen) {
      const at = p + (<usize>i << 2);
      const rest = seen - i;
      const e = vexpNegative(f32x4.sub(loadPart(at, rest, -Infinity), m));
      total = f32x4.add(total, e);
      storePart(at, e, rest);
    }
    factor = f32x4.splat(1 / sumLanes(total));
    for (i = 0; i + 4 <= seen; i += 4) {
      const at = p + (<usize>i << 2);
      v128.store(at, f32x4.mul(v128.load(at), factor));
    }
    for (; i < seen; i++) {
      const at = p + (<usize>i << 2);
      store<f32>(at, load<f32>(at) * f32x4.extract_lane(factor, 0));
    }
  } else seen = 0; // Sees nothing: all zero.
  memory.fill(p + (<usize>seen << 2), 0, <usize>(end - seen) << 2);
}

/** Scores of one query against the keys 0..seen-1, without packing anything. */
export function scoreRow(p: usize, q: usize, k: usize, stride: usize, seen: i32, hd: i32): void {
  for (let s = 0; s < seen; s++) {
    // Two sums at a time: one would wait for itself.
    let even = f32x4.splat(0);
    let odd = even;
    let i = 0;
    for (; i + 8 <= hd; i += 8) {
      const at = <usize>i << 2;
      even = fma(v128.load(q + at), v128.load(k + at), even);
      odd = fma(v128.load(q + at, 16), v128.load(k + at, 16), odd);
    }
    for (; i + 4 <= hd; i += 4) {
      const at = <usize>i << 2;
      even = fma(v128.load(q + at), v128.load(k + at), even);
    }
    let score = sumLanes(f32x4.add(even, odd));
    for (; i < hd; i++) score += load<f32>(q + (<usize>i << 2)) * load<f32>(k + (<usize>i << 2));
    store<f32>(p, score);
    p += 4;
    k += stride;
  }
}

/** Σ p[s] v[s] of one query. */
export function mixRow(out: usize, p: usize, v: usize, stride: usize, seen: i32, hd: i32): void {
  let i = 0;
  // Sixteen columns at a time: four sums that do not wait for each other.
  for (; i + 16 <= hd; i += 16) {
    let t0 = f32x4.splat(0);
    let t1 = t0;
    let t2 = t0;
    let t3 = t0;
    let at = v + (<usize>i << 2);
    for (let s = 0; s < seen; s++) {
      const weight = v128.load32_splat(p + (<usize>s << 2));
      t0 = fma(weight, v128.load(at), t0);
      t1 = fma(weight, v128.load(at, 16), t1);
      t2 = fma(weight, v128.load(at, 32), t2);
      t3 = fma(weight, v128.load(at, 48), t3);
      at += stride;
    }
    const to = out + (<usize>i << 2);
    v128.store(to, t0);
    v128.store(to, t1, 16);
    v128.store(to, t2, 32);
    v128.store(to, t3, 48);
  }
  for (; i < hd; i += 4) {
    const rest = hd - i;
    let total = f32x4.splat(0);
    let at = v + (<usize>i << 2);
    for (let s = 0; s < seen; s++) {
      const row = rest >= 4 ? v128.load(at) : loadPart(at, rest, 0);
      total = fma(v128.load32_splat(p + (<usize>s << 2)), row, total);
      at += stride;
    }
    if (rest >= 4) v128.store(out + (<usize>i << 2), total);
    else storePart(out + (<usize>i << 2), total, rest);
  }
}

function forwardTask(begin: i32, end: i32): void {
  const T = int(6), S = int(7), H = int(8), K = int(9), hd = int(10);
  const group = H / K;
  const rowQ = H * hd;
  const rowK = K * hd;
  for (let unit = begin; unit < end; unit++) {
    const b = unit / H;
    const h = unit - b * H;
    const q = pointer(0) + (<usize>(b * T * rowQ + h * hd) << 2);
    const out = pointer(4) + (<usize>(b * T * rowQ + h * hd) << 2);
    const at = <usize>(b * S * rowK + (h / group) * hd) << 2;
    const k = pointer(1) + at;
    const v = pointer(2) + at;
    const mask = pointer(3) ? pointer(3) + (<usize>(b * S) << 2) : 0;
    const firstKeys = pointer(17) ? pointer(17) + (<usize>(b * T) << 2) : 0;
    const p = pointer(5) + ((<usize>unit * <usize>(T * S)) << 2);
    for (let t0 = 0; t0 < T; t0 += ROWS) {
      const t1 = min(T, t0 + ROWS);
      const rows = t1 - t0;
      const low = lowestKey(firstKeys, t0, rows, S - T + t0);
      // From here on keys are counted from `low`.
      const keys = S - T + t1 - low;
      // Without bounds the probabilities are complete, with them only the block's own keys are there.
      const end = firstKeys ? keys : S;
      const pr = p + (<usize>(t0 * S + low) << 2);
      const kr = k + (<usize>(low * rowK) << 2);
      const vr = v + (<usize>(low * rowK) << 2);
      const maskr = mask ? mask + (<usize>low << 2) : 0;
      const qr = q + (<usize>(t0 * rowQ) << 2);
      const outr = out + (<usize>(t0 * rowQ) << 2);
      const few = rows < FEW;
      if (!few) matmulHere(qr, rowQ, false, kr, rowK, true, pr, S, rows, keys, hd, false);
      for (let r = 0; r < rows; r++) {
        const row = pr + (<usize>(r * S) << 2);
        const seen = S - T + t0 + r + 1 - low;
        const first = firstKey(firstKeys, t0 + r, low, seen);
        const skip = <usize>first << 2;
        if (few) scoreRow(row, qr + (<usize>(r * rowQ) << 2), kr, <usize>rowK << 2, seen, hd);
        if (skip) memory.fill(row, 0, skip);
        softmaxRow(row + skip, maskr ? maskr + skip : 0, seen - first, end - first, float(11));
        if (few) mixRow(outr + (<usize>(r * rowQ) << 2), row, vr, <usize>rowK << 2, seen, hd);
      }
      if (!few) matmulHere(pr, S, false, vr, rowK, false, outr, rowQ, rows, hd, keys, false);
    }
  }
}

/** Where this kernel's part of the thread's scratch starts: behind that of matmul. */
const BLOCK_START: i32 = 540672;

/**
 * Bytes that each unit of the backward pass needs for a block of score gradients beyond the thread's
 * scratch: 0 up to S = 2645.
 */
export function attentionBlockBytes(S: i32): i32 {
  const bytes = ROWS * S * 4;
  return bytes <= SCRATCH_BYTES - BLOCK_START ? 0 : bytes;
}

/** `firstKeys` [B, T] int32 or 0: with it, `probabilities` is written for the keys of a block only. */
export function attention(
  query: usize, key: usize, value: usize, keyMask: usize, firstKeys: usize, output: usize,
  probabilities: usize,
  B: i32, T: i32, S: i32, H: i32, K: i32, hd: i32, scale: f32,
): void {
  setPointer(0, query);
  setPointer(1, key);
  setPointer(2, value);
  setPointer(3, keyMask);
  setPointer(4, output);
  setPointer(5, probabilities);
  setInt(6, T);
  setInt(7, S);
  setInt(8, H);
  setInt(9, K);
  setInt(10, hd);
  setFloat(11, scale);
  setPointer(17, firstKeys);
  parallel(forwardTask.index, B * H, max(1, 65536 / max(1, T * S * hd)));
}

/** dp → p (dp - Σ p dp) · scale in place, zero after `seen`. */
function scoreGradientRow(dp: usize, p: usize, seen: i32, end: i32, scale: f32): void {
  let sum = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= seen; i += 4) {
    const at = <usize>i << 2;
    sum = fma(v128.load(p + at), v128.load(dp + at), sum);
  }
  let total = sumLanes(sum);
  for (; i < seen; i++) total += load<f32>(p + (<usize>i << 2)) * load<f32>(dp + (<usize>i << 2));
  const mean = f32x4.splat(total);
  const s = f32x4.splat(scale);
  for (i = 0; i + 4 <= seen; i += 4) {
    const at = <usize>i << 2;
    const d = f32x4.sub(v128.load(dp + at), mean);
    v128.store(dp + at, f32x4.mul(f32x4.mul(v128.load(p + at), s), d));
  }
  for (; i < seen; i++) {
    const at = <usize>i << 2;
    store<f32>(dp + at, load<f32>(p + at) * scale * (load<f32>(dp + at) - total));
  }
  for (; i < end; i++) store<f32>(dp + (<usize>i << 2), 0);
}

function backwardTask(begin: i32, end: i32): void {
  const T = int(6), S = int(7), H = int(8), K = int(9), hd = int(10);
  const group = H / K;
  const rowQ = H * hd;
  const rowK = K * hd;
  for (let unit = begin; unit < end; unit++) {
    const b = unit / K;
    const head = unit - b * K;
    const at = <usize>(b * S * rowK + head * hd) << 2;
    const k = pointer(1) + at;
    const v = pointer(2) + at;
    const dk = pointer(14) + at;
    const dv = pointer(15) + at;
    const ds = pointer(16)
      ? pointer(16) + <usize>unit * <usize>(ROWS * S * 4)
      : scratch + BLOCK_START;
    const firstKeys = pointer(17) ? pointer(17) + (<usize>(b * T) << 2) : 0;
    if (firstKeys) {
      // No block need reach all keys.
      for (let s = 0; s < S; s++) {
        memory.fill(dk + (<usize>(s * rowK) << 2), 0, <usize>hd << 2);
        memory.fill(dv + (<usize>(s * rowK) << 2), 0, <usize>hd << 2);
      }
    }
    for (let g = 0; g < group; g++) {
      const h = head * group + g;
      const atQ = <usize>(b * T * rowQ + h * hd) << 2;
      const p = pointer(5) + ((<usize>(b * H + h) * <usize>(T * S)) << 2);
      // Without bounds the last block sees all keys: it sets every row of dk and dv, the others add.
      const last = ((T - 1) / ROWS) * ROWS;
      for (let t0 = last; t0 >= 0; t0 -= ROWS) {
        const rows = min(T, t0 + ROWS) - t0;
        const low = lowestKey(firstKeys, t0, rows, S - T + t0);
        const keys = S - T + t0 + rows - low;
        const from = <usize>(low * rowK) << 2;
        const shift = atQ + (<usize>(t0 * rowQ) << 2);
        const q = pointer(0) + shift;
        const dy = pointer(12) + shift;
        const dq = pointer(13) + shift;
        const pr = p + (<usize>(t0 * S + low) << 2);
        const add = firstKeys != 0 || g > 0 || t0 < last;
        matmulHere(pr, S, true, dy, rowQ, false, dv + from, rowK, keys, hd, rows, add);
        matmulHere(dy, rowQ, false, v + from, rowK, true, ds, keys, rows, keys, hd, false);
        for (let r = 0; r < rows; r++) {
          const seen = S - T + t0 + r + 1 - low;
          const row = ds + (<usize>(r * keys) << 2);
          scoreGradientRow(row, pr + (<usize>(r * S) << 2), seen, keys, float(11));
        }
        matmulHere(ds, keys, false, k + from, rowK, false, dq, rowQ, rows, hd, keys, false);
        matmulHere(ds, keys, true, q, rowQ, false, dk + from, rowK, keys, hd, rows, add);
      }
    }
  }
}

/** Gradients of `attention`; `blocks` has `attentionBlockBytes(S)` for each of the B·Hkv units, or is 0. */
export function attentionGrad(
  dy: usize, query: usize, key: usize, value: usize, probabilities: usize, firstKeys: usize,
  dquery: usize, dkey: usize, dvalue: usize, blocks: usize,
  B: i32, T: i32, S: i32, H: i32, K: i32, hd: i32, scale: f32,
): void {
  setPointer(0, query);
  setPointer(1, key);
  setPointer(2, value);
  setPointer(5, probabilities);
  setInt(6, T);
  setInt(7, S);
  setInt(8, H);
  setInt(9, K);
  setInt(10, hd);
  setFloat(11, scale);
  setPointer(12, dy);
  setPointer(13, dquery);
  setPointer(14, dkey);
  setPointer(15, dvalue);
  setPointer(16, blocks);
  setPointer(17, firstKeys);
  parallel(backwardTask.index, B * K, 1);
}
