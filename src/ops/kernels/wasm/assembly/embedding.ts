import { copyRow } from "./layout";
import { int, parallel, pointer, setInt, setPointer } from "./threads";

/** Position of the first id outside 0..size-1, or -1. */
export function findBadId(ids: usize, n: i32, size: i32): i32 {
  for (let i = 0; i < n; i++) {
    if (load<u32>(ids + (<usize>i << 2)) >= <u32>size) return i;
  }
  return -1;
}

function gatherTask(begin: i32, end: i32): void {
  const width = int(3);
  for (let i = begin; i < end; i++) {
    const id = load<i32>(pointer(1) + (<usize>i << 2));
    const from = pointer(0) + ((<usize>id * <usize>width) << 2);
    copyRow(pointer(2) + ((<usize>i * <usize>width) << 2), from, width);
  }
}

/** out[i] = table[ids[i]], rows of `width` floats. */
export function gatherRows(table: usize, ids: usize, out: usize, n: i32, width: i32): void {
  setPointer(0, table);
  setPointer(1, ids);
  setPointer(2, out);
  setInt(3, width);
  parallel(gatherTask.index, n, max(1, 4096 / max(width, 1)));
}

const COLUMNS: i32 = 32;

/** A thread owns 32 columns of the table and adds all rows in order: no races, always one order. */
function scatterTask(begin: i32, end: i32): void {
  const n = int(3);
  const width = int(4);
  for (let unit = begin; unit < end; unit++) {
    const column = unit * COLUMNS;
    const count = min(COLUMNS, width - column);
    for (let i = 0; i < n; i++) {
      const id = load<i32>(pointer(1) + (<usize>i << 2));
      if (id < 0) continue;
      let from = pointer(0) + (<usize>(i * width + column) << 2);
      let to = pointer(2) + (<usize>(id * width + column) << 2);
      let c = 0;
      for (; c + 4 <= count; c += 4) {
        v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
        from += 16;
        to += 16;
      }
      for (; c < count; c++) {
        store<f32>(to, load<f32>(to) + load<f32>(from));
        from += 4;
        to += 4;
      }
    }
  }
}

/** out[ids[i]] += x[i] on a table of `size` rows that starts at zero; negative ids are skipped. */
export function scatterAddRows(
  x: usize, ids: usize, out: usize, n: i32, width: i32, size: i32,
): void {
  memory.fill(out, 0, (<usize>size * <usize>width) << 2);
  setPointer(0, x);
  setPointer(1, ids);
  setPointer(2, out);
  setInt(3, n);
  setInt(4, width);
  parallel(scatterTask.index, (width + COLUMNS - 1) / COLUMNS, max(1, 128 / max(n, 1)));
}
