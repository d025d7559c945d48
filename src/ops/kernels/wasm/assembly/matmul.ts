/**
 * C = op(A)·op(B) (+ bias row), batched. For each block of NB columns the thread packs op(B) into
 * panels of 8 columns ([k][8], zero padded, at most KS rows at once, 512 KiB: it stays in L2); then
 * for each 6 rows of A it walks all panels, with the 6×KC piece of A in L1. The 6×8 tile of C needs
 * 12 accumulators, 2 registers for B and 1 for A: the 15 that x64 engines give to SIMD code. A is
 * read in place when its rows are contiguous, else packed 6 wide. KC only bounds what is in L1; it
 * fixes the order of summation, which depends on nothing but the shape.
 */
import { fma } from "./simd";
import { int, job, parallel, pointer, scratch, setInt, setPointer, threads } from "./threads";

const MR: i32 = 6;
const NR: i32 = 8;
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
function packB(
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

/** Packs 6 columns of A stored [K, M] as [k][6]; missing rows of the tile are zero. */
function packA(out: usize, a: usize, ld: i32, kc: i32, rows: i32): void {
  const row = <usize>ld << 2;
  if (rows == MR) {
    for (let k = 0; k < kc; k++) {
      v128.store(out, v128.load(a));
      store<u64>(out, load<u64>(a, 16), 16);
      out += 24;
      a += row;
    }
    return;
  }
  for (let k = 0; k < kc; k++) {
    for (let r = 0; r < MR; r++) {
      store<f32>(out + (<usize>r << 2), r < rows ? load<f32>(a + (<usize>r << 2)) : 0);
    }
    out += 24;
    a += row;
  }
}

/** One tile: C[6, 8] = initial + A·panel. `initial` and C may be the same memory. */
function tileRows(
  kc: i32, a0: usize, a1: usize, a2: usize, a3: usize, a4: usize, a5: usize, b: usize,
  initial: usize, initialRow: usize, c: usize, row: usize,
): void {
  let p = initial;
  let c00 = v128.load(p);
  let c01 = v128.load(p, 16);
  p += initialRow;
  let c10 = v128.load(p);
  let c11 = v128.load(p, 16);
  p += initialRow;
  let c20 = v128.load(p);
  let c21 = v128.load(p, 16);
  p += initialRow;
  let c30 = v128.load(p);
  let c31 = v128.load(p, 16);
  p += initialRow;
  let c40 = v128.load(p);
  let c41 = v128.load(p, 16);
  p += initialRow;
  let c50 = v128.load(p);
  let c51 = v128.load(p, 16);
  const unrolled = b + (<usize>(kc & ~3) << 5);
  const end = b + (<usize>kc << 5);
  while (b < unrolled) {
    let b0 = v128.load(b);
    let b1 = v128.load(b, 16);
    let x = v128.load32_splat(a0);
    c00 = fma(x, b0, c00);
    c01 = fma(x, b1, c01);
    x = v128.load32_splat(a1);
    c10 = fma(x, b0, c10);
    c11 = fma(x, b1, c11);
    x = v128.load32_splat(a2);
    c20 = fma(x, b0, c20);
    c21 = fma(x, b1, c21);
    x = v128.load32_splat(a3);
    c30 = fma(x, b0, c30);
    c31 = fma(x, b1, c31);
    x = v128.load32_splat(a4);
    c40 = fma(x, b0, c40);
    c41 = fma(x, b1, c41);
    x = v128.load32_splat(a5);
    c50 = fma(x, b0, c50);
    c51 = fma(x, b1, c51);
    b0 = v128.load(b, 32);
    b1 = v128.load(b, 48);
    x = v128.load32_splat(a0, 4);
    c00 = fma(x, b0, c00);
    c01 = fma(x, b1, c01);
    x = v128.load32_splat(a1, 4);
    c10 = fma(x, b0, c10);
    c11 = fma(x, b1, c11);
    x = v128.load32_splat(a2, 4);
    c20 = fma(x, b0, c20);
    c21 = fma(x, b1, c21);
    x = v128.load32_splat(a3, 4);
    c30 = fma(x, b0, c30);
    c31 = fma(x, b1, c31);
    x = v128.load32_splat(a4, 4);
    c40 = fma(x, b0, c40);
    c41 = fma(x, b1, c41);
    x = v128.load32_splat(a5, 4);
    c50 = fma(x, b0, c50);
    c51 = fma(x, b1, c51);
    b0 = v128.load(b, 64);
    b1 = v128.load(b, 80);
    x = v128.load32_splat(a0, 8);
    c00 = fma(x, b0, c00);
    c01 = fma(x, b1, c01);
    x = v128.load32_splat(a1, 8);
    c10 = fma(x, b0, c10);
    c11 = fma(x, b1, c11);
    x = v128.load32_splat(a2, 8);
    c20 = fma(x, b0, c20);
    c21 = fma(x, b1, c21);
    x = v128.load32_splat(a3, 8);
    c30 = fma(x, b0, c30);
    c31 = fma(x, b1, c31);
    x = v128.load32_splat(a4, 8);
    c40 = fma(x, b0, c40);
    c41 = fma(x, b1, c41);
    x = v128.load32_splat(a5, 8);
    c50 = fma(x, b0, c50);
    c51 = fma(x, b1, c51);
    b0 = v128.load(b, 96);
    b1 = v128.load(b, 112);
    x = v128.load32_splat(a0, 12);
    c00 = fma(x, b0, c00);
    c01 = fma(x, b1, c01);
    x = v128.load32_splat(a1, 12);
    c10 = fma(x, b0, c10);
    c11 = fma(x, b1, c11);
    x = v128.load32_splat(a2, 12);
    c20 = fma(x, b0, c20);
    c21 = fma(x, b1, c21);
    x = v128.load32_splat(a3, 12);
    c30 = fma(x, b0, c30);
    c31 = fma(x, b1, c31);
    x = v128.load32_splat(a4, 12);
    c40 = fma(x, b0, c40);
    c41 = fma(x, b1, c41);
    x = v128.load32_splat(a5, 12);
    c50 = fma(x, b0, c50);
    c51 = fma(x, b1, c51);
    b += 128;
    a0 += 16;
    a1 += 16;
    a2 += 16;
    a3 += 16;
    a4 += 16;
    a5 += 16;
  }
  while (b < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load32_splat(a0);
    c00 = fma(x, b0, c00);
    c01 = fma(x, b1, c01);
    x = v128.load32_splat(a1);
    c10 = fma(x, b0, c10);
    c11 = fma(x, b1, c11);
    x = v128.load32_splat(a2);
    c20 = fma(x, b0, c20);
    c21 = fma(x, b1, c21);
    x = v128.load32_splat(a3);
    c30 = fma(x, b0, c30);
    c31 = fma(x, b1, c31);
    x = v128.load32_splat(a4);
    c40 = fma(x, b0, c40);
    c41 = fma(x, b1, c41);
    x = v128.load32_splat(a5);
    c50 = fma(x, b0, c50);
    c51 = fma(x, b1, c51);
    b += 32;
    a0 += 4;
    a1 += 4;
    a2 += 4;
    a3 += 4;
    a4 += 4;
    a5 += 4;
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  c += row;
  v128.store(c, c10);
  v128.store(c, c11, 16);
  c += row;
  v128.store(c, c20);
  v128.store(c, c21, 16);
  c += row;
  v128.store(c, c30);
  v128.store(c, c31, 16);
  c += row;
  v128.store(c, c40);
  v128.store(c, c41, 16);
  c += row;
  v128.store(c, c50);
  v128.store(c, c51, 16);
}

/** As `tileRows` with A packed [k][6]. */
function tilePacked(
  kc: i32, a: usize, b: usize, initial: usize, initialRow: usize, c: usize, row: usize,
): void {
  let p = initial;
  let c00 = v128.load(p);
  let c01 = v128.load(p, 16);
  p += initialRow;
  let c10 = v128.load(p);
  let c11 = v128.load(p, 16);
  p += initialRow;
  let c20 = v128.load(p);
  let c21 = v128.load(p, 16);
  p += initialRow;
  let c30 = v128.load(p);
  let c31 = v128.load(p, 16);
  p += initialRow;
  let c40 = v128.load(p);
  let c41 = v128.load(p, 16);
  p += initialRow;
  let c50 = v128.load(p);
  let c51 = v128.load(p, 16);
  const unrolled = b + (<usize>(kc & ~1) << 5);
  const end = b + (<usize>kc << 5);
  while (b < unrolled) {
    let b0 = v128.load(b);
    let b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    c00 = fma(x, b0, c00);
    c01 = fma(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = fma(x, b0, c10);
    c11 = fma(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = fma(x, b0, c20);
    c21 = fma(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = fma(x, b0, c30);
    c31 = fma(x, b1, c31);
    x = v128.load32_splat(a, 16);
    c40 = fma(x, b0, c40);
    c41 = fma(x, b1, c41);
    x = v128.load32_splat(a, 20);
    c50 = fma(x, b0, c50);
    c51 = fma(x, b1, c51);
    b0 = v128.load(b, 32);
    b1 = v128.load(b, 48);
    x = v128.load32_splat(a, 24);
    c00 = fma(x, b0, c00);
    c01 = fma(x, b1, c01);
    x = v128.load32_splat(a, 28);
    c10 = fma(x, b0, c10);
    c11 = fma(x, b1, c11);
    x = v128.load32_splat(a, 32);
    c20 = fma(x, b0, c20);
    c21 = fma(x, b1, c21);
    x = v128.load32_splat(a, 36);
    c30 = fma(x, b0, c30);
    c31 = fma(x, b1, c31);
    x = v128.load32_splat(a, 40);
    c40 = fma(x, b0, c40);
    c41 = fma(x, b1, c41);
    x = v128.load32_splat(a, 44);
    c50 = fma(x, b0, c50);
    c51 = fma(x, b1, c51);
    b += 64;
    a += 48;
  }
  if (b < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    c00 = fma(x, b0, c00);
    c01 = fma(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = fma(x, b0, c10);
    c11 = fma(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = fma(x, b0, c20);
    c21 = fma(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = fma(x, b0, c30);
    c31 = fma(x, b1, c31);
    x = v128.load32_splat(a, 16);
    c40 = fma(x, b0, c40);
    c41 = fma(x, b1, c41);
    x = v128.load32_splat(a, 20);
    c50 = fma(x, b0, c50);
    c51 = fma(x, b1, c51);
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  c += row;
  v128.store(c, c10);
  v128.store(c, c11, 16);
  c += row;
  v128.store(c, c20);
  v128.store(c, c21, 16);
  c += row;
  v128.store(c, c30);
  v128.store(c, c31, 16);
  c += row;
  v128.store(c, c40);
  v128.store(c, c41, 16);
  c += row;
  v128.store(c, c50);
  v128.store(c, c51, 16);
}

/** Runs one row tile of A against all panels of the packed block of B. */
function rowTile(
  a: usize, lda: i32, transA: bool, rows: i32, kc: i32, panels: usize, panelBytes: usize,
  c: usize, ldc: i32, width: i32, first: bool, bias: usize,
): void {
  const tile = scratch + TILE;
  const zeros = scratch + ZEROS;
  const packed = scratch + PACKED_A;
  const row = <usize>ldc << 2;
  const rowA = <usize>lda << 2;
  if (transA) packA(packed, a, lda, kc, rows);
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
    const whole = rows == MR && cols == NR;
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
    if (transA) tilePacked(kc, packed, panels, initial, initialRow, target, targetRow);
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
  memory.fill(scratch + ZEROS, 0, 32);
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
  memory.fill(scratch + ZEROS, 0, 32);
  for (let unit = begin; unit < end; unit++) {
    const blockM = unit % blocksM;
    const rest = unit / blocksM;
    const n0 = (rest % blocksN) * NB;
    const batch = rest / blocksN;
    const m0 = blockM * rows;
    block(
      pointer(0) + ((<usize>batch * <usize>strideA) << 2), lda, (flags & 1) != 0,
      pointer(1) + ((<usize>batch * <usize>strideB) << 2), ldb, (flags & 2) != 0,
      pointer(2) + ((<usize>batch * <usize>(m * n)) << 2), n,
      m0, min(m0 + rows, m), n0, min(NB, n - n0), k, pointer(14),
      strideB == 0 ? rest % blocksN : rest, false,
    );
  }
}

/**
 * C[batch, m, n] = op(A)·op(B) + bias. `flags`: 1 = A stored [k, m], 2 = B stored [n, k]. Strides
 * between matrices in floats, 0 to use the same one. `bias` [n] or 0.
 */
export function matmul(
  a: usize, b: usize, c: usize, bias: usize, batch: i32, m: i32, n: i32, k: i32, flags: i32,
  strideA: i32, strideB: i32,
): void {
  if (batch * m * n == 0) return;
  const blocksN = (n + NB - 1) / NB;
  // Enough units to share, each with enough rows to pay for packing its block of B.
  const wanted = (4 * threads() + batch * blocksN - 1) / (batch * blocksN);
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
  const perUnit = <f32>rows * <f32>min(n, NB) * <f32>k;
  const grain = <i32>max<f32>(1, 100000 / max<f32>(perUnit, 1));
  parallel(matmulTask.index, batch * blocksM * blocksN, grain);
}
