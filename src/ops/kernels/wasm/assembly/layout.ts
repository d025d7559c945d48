/** Moving data without arithmetic: any permutation, slice, concatenation or repetition of axes. */
import { transposeStore } from "./matmul";
import { int, parallel, pointer, setInt, setPointer } from "./threads";

// Arguments: 0 from, 1 to, 2..5 sizes, 6..9 strides of the source, 10..13 strides of the target.
function copyTask(begin: i32, end: i32): void {
  const d1 = int(3), d2 = int(4), d3 = int(5);
  const s2 = int(8), s3 = int(9), t2 = int(12), t3 = int(13);
  for (let unit = begin; unit < end; unit++) {
    const i0 = unit / d1;
    const i1 = unit - i0 * d1;
    const from = pointer(0) + (<usize>(i0 * int(6) + i1 * int(7)) << 2);
    const to = pointer(1) + (<usize>(i0 * int(10) + i1 * int(11)) << 2);
    if (s3 == 1 && t3 == 1) {
      for (let i = 0; i < d2; i++) {
        copyRow(to + (<usize>(i * t2) << 2), from + (<usize>(i * s2) << 2), d3);
      }
    } else if (s2 == 1 && t3 == 1) transpose(from, to, d2, d3, s3, t2);
    else {
      for (let i = 0; i < d2; i++) {
        for (let j = 0; j < d3; j++) {
          const value = load<f32>(from + (<usize>(i * s2 + j * s3) << 2));
          store<f32>(to + (<usize>(i * t2 + j * t3) << 2), value);
        }
      }
    }
  }
}

/** Short rows by hand: memory.copy has a fixed cost of some 20 ns. */
// @ts-ignore: decorator
@inline
export function copyRow(to: usize, from: usize, n: i32): void {
  if (n >= 256) {
    memory.copy(to, from, <usize>n << 2);
    return;
  }
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
  }
  for (; i < n; i++) {
    store<f32>(to, load<f32>(from));
    to += 4;
    from += 4;
  }
}

/** to[i, j] = from[j, i] for i < rows, j < columns, in 4×4 blocks. */
function transpose(from: usize, to: usize, rows: i32, cols: i32, ldFrom: i32, ldTo: i32): void {
  const fromRow = <usize>ldFrom << 2;
  const toRow = <usize>ldTo << 2;
  for (let j = 0; j < cols; j += 4) {
    const source = from + <usize>j * fromRow;
    const target = to + (<usize>j << 2);
    let i = 0;
    if (j + 4 <= cols) {
      for (; i + 4 <= rows; i += 4) {
        const p = source + (<usize>i << 2);
        transposeStore(
          target + <usize>i * toRow, toRow,
          v128.load(p), v128.load(p + fromRow), v128.load(p + 2 * fromRow),
          v128.load(p + 3 * fromRow),
        );
      }
    }
    const stop = min(4, cols - j);
    for (; i < rows; i++) {
      for (let c = 0; c < stop; c++) {
        const value = load<f32>(source + <usize>c * fromRow + (<usize>i << 2));
        store<f32>(target + <usize>i * toRow + (<usize>c << 2), value);
      }
    }
  }
}

/** Copies a 4-axis block; 32-bit elements of any type. */
export function stridedCopy(
  from: usize, to: usize, d0: i32, d1: i32, d2: i32, d3: i32,
  s0: i32, s1: i32, s2: i32, s3: i32, t0: i32, t1: i32, t2: i32, t3: i32,
): void {
  if (d2 * d3 == 0) return;
  setPointer(0, from);
  setPointer(1, to);
  setInt(2, d0);
  setInt(3, d1);
  setInt(4, d2);
  setInt(5, d3);
  setInt(6, s0);
  setInt(7, s1);
  setInt(8, s2);
  setInt(9, s3);
  setInt(10, t0);
  setInt(11, t1);
  setInt(12, t2);
  setInt(13, t3);
  parallel(copyTask.index, d0 * d1, max(1, 8192 / (d2 * d3)));
}
