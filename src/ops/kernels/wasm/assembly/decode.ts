/**
 * One token for every row through a whole decoder, in one call. A step has few rows, so a product
 * reads each weight only a few times: packing a weight first, as `matmul` does, would cost as much as
 * the product. Here the weights come packed (`packPanels`, once for a whole rollout), and what lies
 * between two products happens where their results are: the MLP's activation on the tile that was just
 * computed, the residual sum as the start of the accumulators, rotation and cache in the attention.
 * The loops over heads and keys are those of attention.ts for a single query.
 */
import { activate } from "./activation";
import { mixRow, scoreRow, softmaxRow } from "./attention";
import { copyRow } from "./layout";
import { clearZeros, NR, packB, rowTile } from "./matmul";
import { normForward, normRow } from "./norm";
import { rotateHead } from "./rotary";
import { loadPart, storePart } from "./simd";
import {
  float, int, parallel, pointer, scratch, setFloat, setInt, setPointer, threads,
} from "./threads";

/** The part of a thread's scratch that matmul leaves free. */
const FREE: usize = 540672;
const ROWS: i32 = 6;

/** Columns of a panel: the packing side asks. */
export function panelColumns(): i32 {
  return NR;
}

// Packing: 0 out, 1 panel step, 2 weight, 3 ld, 4 transposed?, 5 k, 6 first column, 7 columns
function packTask(begin: i32, end: i32): void {
  const k = int(5);
  for (let panel = begin; panel < end; panel++) {
    const out = pointer(0) + <usize>(panel * int(1) * k * NR * 4);
    const column = panel * NR;
    packB(
      out, pointer(2), int(3), int(4) != 0, 0, k, int(6) + column, min(NR, int(7) - column),
    );
  }
}

/**
 * Packs columns n0..n0+columns of a weight into panels [k][8], the last one filled up with zeros,
 * every `step`-th panel of `out`. `transposed`: stored [columns, k].
 */
export function packPanels(
  out: usize, step: i32, weight: usize, ld: i32, transposed: i32, k: i32, n0: i32, columns: i32,
): void {
  setPointer(0, out);
  setInt(1, step);
  setPointer(2, weight);
  setInt(3, ld);
  setInt(4, transposed);
  setInt(5, k);
  setInt(6, n0);
  setInt(7, columns);
  parallel(packTask.index, (columns + NR - 1) / NR, max(1, 4096 / max(1, k)));
}

// Products: 0 a, 1 rows, 2 k, 3 packed weight, 4 bias or 0, 5 out, 6 row of out in floats, 7 columns,
// 8 what happens to the result
const STORE: i32 = 0;
const ADD: i32 = 1;
const ACTIVATE: i32 = 2;
const GATE: i32 = 3;

/** Result of an MLP's first product from a tile in scratch: activated, or the gate times the rest. */
function storeActivated(tile: usize, out: usize, rows: i32, columns: i32, gated: bool): void {
  const row = <usize>int(6) << 2;
  const op = int(9);
  const tileRow: usize = gated ? 64 : 32;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c += 4) {
      const from = tile + <usize>r * tileRow + (<usize>c << 2);
      let v = activate(op, v128.load(from));
      if (gated) v = f32x4.mul(v, v128.load(from, 32));
      const to = out + <usize>r * row + (<usize>c << 2);
      if (columns - c >= 4) v128.store(to, v);
      else storePart(to, v, columns - c);
    }
  }
}

function productTask(begin: i32, end: i32): void {
  clearZeros();
  const rows = int(1), k = int(2), columns = int(7), mode = int(8);
  const panelBytes = <usize>k * 32;
  const lda = k;
  const tile = scratch + FREE;
  const bias = pointer(4);
  for (let m = 0; m < rows; m += ROWS) {
    const count = min(ROWS, rows - m);
    const a = pointer(0) + (<usize>(m * lda) << 2);
    const out = pointer(5) + (<usize>(m * int(6)) << 2);
    if (mode <= ADD) {
      const n0 = begin * NR;
      rowTile(
        a, lda, false, count, k, pointer(3) + <usize>begin * panelBytes, panelBytes,
        out + (<usize>n0 << 2), int(6), min(end * NR, columns) - n0, mode == STORE,
        bias ? bias + (<usize>n0 << 2) : 0,
      );
      continue;
    }
    const width = mode == GATE ? 2 * NR : NR;
    const step = mode == GATE ? 2 : 1;
    for (let p = begin; p < end; p++) {
      rowTile(
        a, lda, false, count, k, pointer(3) + <usize>(p * step) * panelBytes, panelBytes,
        tile, width, width, true, bias ? bias + (<usize>(p * width) << 2) : 0,
      );
      const n0 = p * NR;
      storeActivated(tile, out + (<usize>n0 << 2), count, min(NR, columns - n0), mode == GATE);
    }
  }
}

function product(
  a: usize, rows: i32, k: i32, packed: usize, bias: usize, out: usize, ldOut: i32, columns: i32,
  mode: i32, activation: i32,
): void {
  setPointer(0, a);
  setInt(1, rows);
  setInt(2, k);
  setPointer(3, packed);
  setPointer(4, bias);
  setPointer(5, out);
  setInt(6, ldOut);
  setInt(7, columns);
  setInt(8, mode);
  setInt(9, activation);
  const panels = (columns + NR - 1) / NR;
  const work = rows * k * NR * (mode == GATE ? 2 : 1);
  const grain = max(1, max(65536 / max(1, work), panels / (threads() * 4)));
  parallel(productTask.index, panels, grain);
}

// Attention: 0 qkv, 1 row of qkv, 2 first key column, 3 first value column, 4 key cache,
// 5 value cache, 6 capacity, 7 S, 8 H, 9 Hkv, 10 hd, 11 scale, 12 mask or 0, 13 cos or 0, 14 sin,
// 15 out, 16 norm of a query head or 0, 17 of a key head, 18 epsilon, 19 first key that is seen,
// 20 row of the mask
function attentionTask(begin: i32, end: i32): void {
  const capacity = int(6), S = int(7), H = int(8), K = int(9), hd = int(10);
  const group = H / K;
  const half = hd >> 1;
  const p = scratch + FREE;
  const stride = <usize>(K * hd) << 2;
  const first = int(19), seen = S - first;
  const skip = <usize>first * stride;
  for (let unit = begin; unit < end; unit++) {
    const b = unit / K;
    const head = unit - b * K;
    const row = pointer(0) + (<usize>(b * int(1)) << 2);
    const cache = <usize>((b * capacity * K + head) * hd) << 2;
    const keys = pointer(4) + cache;
    const values = pointer(5) + cache;
    const mask = pointer(12) ? pointer(12) + (<usize>(b * int(20) + first) << 2) : 0;
    const cos = pointer(13) + (<usize>(b * half) << 2);
    const sin = pointer(14) + (<usize>(b * half) << 2);
    const key = row + (<usize>(int(2) + head * hd) << 2);
    const newKey = keys + <usize>(S - 1) * stride;
    if (pointer(17)) normRow(key, pointer(17), 0, key, 0, hd, float(18));
    if (pointer(13)) rotateHead(key, cos, sin, newKey, half, 1);
    else copyRow(newKey, key, hd);
    copyRow(values + <usize>(S - 1) * stride, row + (<usize>(int(3) + head * hd) << 2), hd);
    for (let g = 0; g < group; g++) {
      const h = head * group + g;
      const q = row + (<usize>(h * hd) << 2);
      if (pointer(16)) normRow(q, pointer(16), 0, q, 0, hd, float(18));
      if (pointer(13)) rotateHead(q, cos, sin, q, half, 1);
      scoreRow(p, q, keys + skip, stride, seen, hd);
      softmaxRow(p, mask, seen, seen, float(11));
      mixRow(pointer(15) + (<usize>((b * H + h) * hd) << 2), p, values + skip, stride, seen, hd);
    }
  }
}

// Words of the plan; those of layer l start at LAYERS + l·LAYER.
const LAYERS: i32 = 32;
const LAYER: i32 = 20;

// @ts-ignore: decorator
@inline
function word(plan: usize, index: i32): i32 {
  return load<i32>(plan + (<usize>index << 2));
}
// @ts-ignore: decorator
@inline
function at(plan: usize, index: i32): usize {
  return load<usize>(plan + (<usize>index << 2));
}

function addRow(x: usize, row: usize, n: i32): void {
  for (let i = 0; i < n; i += 4) {
    const p = x + (<usize>i << 2);
    const q = row + (<usize>i << 2);
    const rest = n - i;
    if (rest >= 4) v128.store(p, f32x4.add(v128.load(p), v128.load(q)));
    else storePart(p, f32x4.add(loadPart(p, rest, 0), loadPart(q, rest, 0)), rest);
  }
}

/** x += a·W + bias, all rows. */
function addProduct(
  plan: usize, a: usize, k: i32, packed: usize, bias: usize, x: usize, D: i32,
): void {
  const rows = word(plan, 0);
  if (bias) {
    for (let r = 0; r < rows; r++) addRow(x + (<usize>(r * D) << 2), bias, D);
  }
  product(a, rows, k, packed, 0, x, D, D, ADD, 0);
}

/**
 * Logits of one new token per row; its keys and values go to the end of the caches. The plan is a list
 * of words (../decode/decode.ts names them): sizes, addresses of buffers and of the weights of each layer.
 */
export function decode(plan: usize): void {
  const rows = word(plan, 0), D = word(plan, 1), H = word(plan, 2), K = word(plan, 3);
  const hd = word(plan, 4), F = word(plan, 5), V = word(plan, 6), layers = word(plan, 9);
  const gated = word(plan, 10) != 0;
  const activation = word(plan, 11);
  const epsilon = load<f32>(plan + 48);
  const x = at(plan, 25), normed = at(plan, 26), qkv = at(plan, 27);
  const attended = at(plan, 28), inner = at(plan, 29), statistics = at(plan, 30);
  const queries = (H * hd + 7) & ~7;
  const keyColumns = (K * hd + 7) & ~7;
  const columns = queries + 2 * keyColumns;
  for (let r = 0; r < rows; r++) {
    const to = x + (<usize>(r * D) << 2);
    const id = load<i32>(at(plan, 14) + (<usize>r << 2));
    copyRow(to, at(plan, 17) + ((<usize>id * <usize>D) << 2), D);
    if (at(plan, 18)) {
      const position = load<i32>(at(plan, 15) + (<usize>r << 2));
      addRow(to, at(plan, 18) + ((<usize>position * <usize>D) << 2), D);
    }
  }
  for (let l = 0; l < layers; l++) {
    const layer = plan + (<usize>(LAYERS + l * LAYER) << 2);
    norm(plan, at(layer, 0), at(layer, 1), x, normed, statistics, D, epsilon);
    product(normed, rows, D, at(layer, 2), at(layer, 3), qkv, columns, columns, STORE, 0);
    setPointer(0, qkv);
    setInt(1, columns);
    setInt(2, queries);
    setInt(3, queries + keyColumns);
    setPointer(4, at(layer, 4));
    setPointer(5, at(layer, 5));
    setInt(6, word(plan, 7));
    setInt(7, word(plan, 8));
    setInt(8, H);
    setInt(9, K);
    setInt(10, hd);
    setFloat(11, load<f32>(plan + 52));
    setPointer(12, at(plan, 16));
    setPointer(13, at(plan, 19));
    setPointer(14, at(plan, 20));
    setPointer(15, attended);
    setInt(19, word(layer, 16));
    setInt(20, word(plan, 31));
    setPointer(16, at(layer, 14));
    setPointer(17, at(layer, 15));
    setFloat(18, epsilon);
    parallel(attentionTask.index, rows * K, max(1, rows * K / (4 * threads())));
    addProduct(plan, attended, H * hd, at(layer, 6), at(layer, 7), x, D);
    norm(plan, at(layer, 8), at(layer, 9), x, normed, statistics, D, epsilon);
    const mode = gated ? GATE : ACTIVATE;
    product(normed, rows, D, at(layer, 10), at(layer, 11), inner, F, F, mode, activation);
    addProduct(plan, inner, F, at(layer, 12), at(layer, 13), x, D);
  }
  norm(plan, at(plan, 21), at(plan, 22), x, normed, statistics, D, epsilon);
  product(normed, rows, D, at(plan, 23), 0, at(plan, 24), V, V, STORE, 0);
}

function norm(
  plan: usize, weight: usize, bias: usize, x: usize, y: usize, statistics: usize, D: i32,
  epsilon: f32,
): void {
  const rows = word(plan, 0);
  // A norm has a mean where it has a bias.
  const mean = bias ? statistics + (<usize>rows << 2) : 0;
  normForward(x, weight, bias, y, mean, statistics, rows, D, epsilon);
}
