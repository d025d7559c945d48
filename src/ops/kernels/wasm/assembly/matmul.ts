/**
 * C = op(A)·op(B) (+ bias row), batched. For each block of NB columns the thread packs op(B) into
 * panels of 8 columns ([k][8], zero padded, at most KS rows at once, 512 KiB: it stays in L2); then
 * for each 6 rows of A it walks all panels, with the 6×KC piece of A in L1. See tiles.ts for the
 * innermost loops. A is read in place when its rows are contiguous, else packed row by row. KC bounds
 * what is in L1 and fixes the order of summation, which depends on nothing but the shape.
 */
import { int, job, parallel, pointer, scratch, setInt, setPointer, threads } from "./threads";
import { tileRows, tileRows4 } from "./tiles";

const MR: i32 = 6;
export const NR: i32 = 8;
const KC: i32 = 256;
const KS: i32 = 1024;
const NB: i32 = 128;
// Layout of a thread's scratch: packed B, packed A, an edge tile, 32 zero bytes.
const PACKED_A: usize = <usize>(KS * NB * 4);
const TILE: usize = PACKED_A + <usize>(MR * KC * 4);
const ZEROS: usize = TILE + <usize>(MR * NR * 4);

let packedJob: i32 = 0;
let packedBlock: i32 = -1;

/** Packs rows k0..k0+kc of op(B), columns n0..n0+width, into panels at `out`. */
export function packB(
  out: usize, b: usize, ld: i32, transposed: bool, k0: i32, kc: i32, n0: i32, width: i32,
): void {
  const row = <usize>ld << 2;
  for (let n = 0; n < width; n += NR) {
    const cols = min(NR, width - n);
    if (!transposed) {
      let from = b + (<usize>(k0 * ld + n0 + n) << 2);
      if (cols == NR) {
        for (let k = 0; k < kc; k++) {
          v128.store(out, v128.load(from));
          v128.store(out, v128.load(from, 16), 16);
          out += 32;
          from += row;
        }
      } else {
        for (let k = 0; k < kc; k++) {
          for (let c = 0; c < NR; c++) {
            store<f32>(out + (<usize>c << 2), c < cols ? load<f32>(from + (<usize>c << 2)) : 0);
          }
          out += 32;
          from += row;
        }
      }
    } else {
      const from = b + ((<usize>(n0 + n) * <usize>ld + <usize>k0) << 2);
      let k = 0;
      if (cols == NR) {
        const end = kc & ~3;
        for (; k < end; k += 4) {
          let p = from + (<usize>k << 2);
          const r0 = v128.load(p);
          const r1 = v128.load((p += row));
          const r2 = v128.load((p += row));
          const r3 = v128.load((p += row));
          const r4 = v128.load((p += row));
          const r5 = v128.load((p += row));
          const r6 = v128.load((p += row));
          const r7 = v128.load((p += row));
          transposeStore(out, 32, r0, r1, r2, r3);
          transposeStore(out + 16, 32, r4, r5, r6, r7);
          out += 128;
        }
      }
      for (; k < kc; k++) {
        for (let c = 0; c < NR; c++) {
          const p = from + <usize>c * row + (<usize>k << 2);
          store<f32>(out + (<usize>c << 2), c < cols ? load<f32>(p) : 0);
        }
        out += 32;
      }
    }
  }
}

/** Stores the transpose of four rows, `stride` bytes apart. */
// @ts-ignore: decorator
@inline
export function transposeStore(
  out: usize, stride: usize, r0: v128, r1: v128, r2: v128, r3: v128,
): void {
  const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<f64>(t0, t1, 0, 2));
  v128.store(out + stride, v128.shuffle<f64>(t0, t1, 1, 3));
  v128.store(out + 2 * stride, v128.shuffle<f64>(t2, t3, 0, 2));
  v128.store(out + 3 * stride, v128.shuffle<f64>(t2, t3, 1, 3));
}

/** Bytes between the rows of a packed piece of A. */
const PACKED_ROW: usize = <usize>(KC * 4);

/** Turns up to 6 columns of A stored [K, M] into rows of kc, so that one inner loop serves both. */
function packA(out: usize, a: usize, ld: i32, kc: i32, rows: i32): void {
  const row = <usize>ld << 2;
  let k = 0;
  if (rows >= 4) {
    for (; k + 4 <= kc; k += 4) {
      const a1 = a + row;
      const a2 = a1 + row;
      const a3 = a2 + row;
      transposeStore(out, PACKED_ROW, v128.load(a), v128.load(a1), v128.load(a2), v128.load(a3));
      if (rows == MR) {
        const low = v128.shuffle<f32>(v128.load64_zero(a, 16), v128.load64_zero(a1, 16), 0, 4, 1, 5);
        const high = v128.shuffle<f32>(
          v128.load64_zero(a2, 16), v128.load64_zero(a3, 16), 0, 4, 1, 5,
        );
        v128.store(out + 4 * PACKED_ROW, v128.shuffle<f64>(low, high, 0, 2));
        v128.store(out + 5 * PACKED_ROW, v128.shuffle<f64>(low, high, 1, 3));
      } else if (rows == 5) {
        store<f32>(out + 4 * PACKED_ROW, load<f32>(a, 16));
        store<f32>(out + 4 * PACKED_ROW, load<f32>(a1, 16), 4);
        store<f32>(out + 4 * PACKED_ROW, load<f32>(a2, 16), 8);
        store<f32>(out + 4 * PACKED_ROW, load<f32>(a3, 16), 12);
      }
      out += 16;
      a += 4 * row;
    }
  }
  for (; k < kc; k++) {
    for (let r = 0; r < rows; r++) {
      store<f32>(out + <usize>r * PACKED_ROW, load<f32>(a + (<usize>r << 2)));
    }
    out += 4;
    a += row;
  }
}

/** Runs one row tile of A against all panels of the packed block of B. */
export function rowTile(
  a: usize, lda: i32, transA: bool, rows: i32, kc: i32, panels: usize, panelBytes: usize,
  c: usize, ldc: i32, width: i32, first: bool, bias: usize,
): void {
  const tile = scratch + TILE;
  const zeros = scratch + ZEROS;
  const packed = scratch + PACKED_A;
  const row = <usize>ldc << 2;
  let rowA = <usize>lda << 2;
  if (transA) {
    packA(packed, a, lda, kc, rows);
    a = packed;
    rowA = PACKED_ROW;
  }
  // Rows past the end read the last row again; their results are dropped.
  const last = a + <usize>(rows - 1) * rowA;
  const a1 = rows > 1 ? a + rowA : last;
  const a2 = rows > 2 ? a + 2 * rowA : last;
  const a3 = rows > 3 ? a + 3 * rowA : last;
  const a4 = rows > 4 ? a + 4 * rowA : last;
  const a5 = rows > 5 ? a + 5 * rowA : last;
  for (let n = 0; n < width; n += NR) {
    const out = c + (<usize>n << 2);
    const cols = min(NR, width - n);
    const few = rows <= 4;
    const whole = (rows == MR || rows == 4) && cols == NR;
    let initial = first ? (bias ? bias + (<usize>n << 2) : zeros) : out;
    let initialRow: usize = first ? 0 : row;
    let target = out;
    let targetRow = row;
    if (!whole) {
      for (let r = 0; r < rows; r++) {
        for (let j = 0; j < cols; j++) {
          const from = initial + <usize>r * initialRow + (<usize>j << 2);
          store<f32>(tile + (<usize>(r * NR + j) << 2), load<f32>(from));
        }
      }
      initial = tile;
      initialRow = 32;
      target = tile;
      targetRow = 32;
    }
    if (few) tileRows4(kc, a, a1, a2, a3, panels, initial, initialRow, target, targetRow);
    else tileRows(kc, a, a1, a2, a3, a4, a5, panels, initial, initialRow, target, targetRow);
    if (!whole) {
      for (let r = 0; r < rows; r++) {
        for (let j = 0; j < cols; j++) {
          const to = out + <usize>r * row + (<usize>j << 2);
          store<f32>(to, load<f32>(tile + (<usize>(r * NR + j) << 2)));
        }
      }
    }
    panels += panelBytes;
  }
}

/** `rowTile` starts sums without a bias from these. */
// @ts-ignore: decorator
@inline
export function clearZeros(): void {
  memory.fill(scratch + ZEROS, 0, 32);
}

/** One unit: `rowsPerUnit` rows by NB columns of one matrix of the batch. */
function block(
  a: usize, lda: i32, transA: bool, b: usize, ldb: i32, transB: bool, c: usize, ldc: i32,
  m0: i32, m1: i32, n0: i32, width: i32, k: i32, bias: usize, reusable: i32, accumulate: bool,
): void {
  const packedBias = bias ? bias + (<usize>n0 << 2) : 0;
  const base = c + (<usize>n0 << 2);
  if (k == 0 && !accumulate) {
    for (let m = m0; m < m1; m++) {
      for (let n = 0; n < width; n++) {
        const value = bias ? load<f32>(packedBias + (<usize>n << 2)) : 0;
        store<f32>(base + ((<usize>m * <usize>ldc + <usize>n) << 2), value);
      }
    }
    return;
  }
  for (let k0 = 0; k0 < k; k0 += KS) {
    const ks = min(KS, k - k0);
    // Each KC rows of the packed block lie together, panel after panel.
    if (k > KS || packedJob != job || packedBlock != reusable) {
      for (let kk = 0; kk < ks; kk += KC) {
        const out = scratch + <usize>(kk * NB * 4);
        packB(out, b, ldb, transB, k0 + kk, min(KC, ks - kk), n0, width);
      }
      packedJob = job;
      packedBlock = k > KS ? -1 : reusable;
    }
    for (let kk = 0; kk < ks; kk += KC) {
      const kc = min(KC, ks - kk);
      const panels = scratch + <usize>(kk * NB * 4);
      const first = !accumulate && k0 + kk == 0;
      for (let m = m0; m < m1; m += MR) {
        const at = transA ? (k0 + kk) * lda + m : m * lda + k0 + kk;
        rowTile(
          a + (<usize>at << 2), lda, transA, min(MR, m1 - m), kc, panels, <usize>kc << 5,
          base + ((<usize>m * <usize>ldc) << 2), ldc, width, first, packedBias,
        );
      }
    }
  }
}

/** The same product, or C += product, for use inside another kernel's task, on the calling thread alone. */
export function matmulHere(
  a: usize, lda: i32, transA: bool, b: usize, ldb: i32, transB: bool, c: usize, ldc: i32,
  m: i32, n: i32, k: i32, accumulate: bool,
): void {
  clearZeros();
  for (let n0 = 0; n0 < n; n0 += NB) {
    packedJob = 0;
    block(a, lda, transA, b, ldb, transB, c, ldc, 0, m, n0, min(NB, n - n0), k, 0, -1, accumulate);
  }
  packedJob = 0;
}

function matmulTask(begin: i32, end: i32): void {
  const m = int(3);
  const n = int(4);
  const k = int(5);
  const lda = int(6);
  const ldb = int(7);
  const flags = int(8);
  const strideA = int(9);
  const strideB = int(10);
  const rows = int(11);
  const blocksM = int(12);
  const blocksN = int(13);
  const columns = int(15);
  clearZeros();
  for (let unit = begin; unit < end; unit++) {
    const blockM = unit % blocksM;
    const rest = unit / blocksM;
    const n0 = (rest % blocksN) * columns;
    const batch = rest / blocksN;
    const m0 = blockM * rows;
    block(
      pointer(0) + ((<usize>batch * <usize>strideA) << 2), lda, (flags & 1) != 0,
      pointer(1) + ((<usize>batch * <usize>strideB) << 2), ldb, (flags & 2) != 0,
      pointer(2) + ((<usize>batch * <usize>(m * n)) << 2), n,
      m0, min(m0 + rows, m), n0, min(columns, n - n0), k, pointer(14),
      strideB == 0 ? rest % blocksN : rest, (flags & 4) != 0,
    );
  }
}

/**
 * C[batch, m, n] = op(A)·op(B) + bias. `flags`: 1 = A stored [k, m], 2 = B stored [n, k], 4 = the
 * product is added to C and there is no bias. Strides between matrices in floats, 0 to use the same one. `bias` [n] or 0.
 */
export function matmul(
  a: usize, b: usize, c: usize, bias: usize, batch: i32, m: i32, n: i32, k: i32, flags: i32,
  strideA: i32, strideB: i32,
): void {
  if (batch * m * n == 0) return;
  // Enough units to share, each with enough rows to pay for packing its block of B. Neither rows nor
  // columns of a unit change the order of a sum.
  const units = 2 * threads();
  let columns = NB;
  const isLarge = <f32>m * <f32>n * <f32>k > 200000;
  const blocksOfRows = batch * ((m + 191) / 192);
  while (isLarge && columns > 32 && blocksOfRows * ((n + columns - 1) / columns) < units) {
    columns >>= 1;
  }
  const blocksN = (n + columns - 1) / columns;
  const wanted = (2 * units + batch * blocksN - 1) / (batch * blocksN);
  let rows = (m + wanted - 1) / wanted;
  rows = ((max(rows, 48) + MR - 1) / MR) * MR;
  rows = min(rows, 192);
  const blocksM = (m + rows - 1) / rows;
  setPointer(0, a);
  setPointer(1, b);
  setPointer(2, c);
  setInt(3, m);
  setInt(4, n);
  setInt(5, k);
  setInt(6, flags & 1 ? m : k);
  setInt(7, flags & 2 ? k : n);
  setInt(8, flags);
  setInt(9, strideA);
  setInt(10, strideB);
  setInt(11, rows);
  setInt(12, blocksM);
  setInt(13, blocksN);
  setPointer(14, bias);
  setInt(15, columns);
  const perUnit = <f32>min(rows, m) * <f32>min(n, columns) * <f32>k;
  const grain = <i32>max<f32>(1, 100000 / max<f32>(perUnit, 1));
  parallel(matmulTask.index, batch * blocksM * blocksN, grain);
}
