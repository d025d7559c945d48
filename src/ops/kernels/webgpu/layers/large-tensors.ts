import {
  backend_util,
  type DataType,
  slice_util,
  type Tensor,
  type TensorInfo as Info,
} from "@tensorflow/tfjs-core";
import { matmul } from "../matmul/matmul.js";
import { groupsOfEntries, perEntry } from "../programs/entries.js";
import { groupIndex, groupsFor, program, rowArguments } from "../programs/program.js";
import { laneSum } from "../programs/reductions.js";
import { reduction } from "../sums.js";
import { type GpuTensors, registerGpuKernel, rowsOf, sizeOf } from "../programs/registry.js";

type Pair = { a: Info; b: Info };
const lanes = 256;

const isLarge = (gpu: GpuTensors, shape: readonly number[]) => 4 * sizeOf(shape) > gpu.mostBytes;

function registerFill(): void {
  registerGpuKernel<object, { shape: number[]; value: number; dtype?: DataType }>(
    "Fill",
    (_, { shape, value, dtype = "float32" }, gpu) => {
      if (dtype !== "float32" || !isLarge(gpu, shape)) return undefined;
      const out = gpu.newTensor(shape);
      const size = sizeOf(shape);
      const shader = program("fill", () => ({
        ...{ params: ["size: u32", "value: f32"], reads: [], writes: ["y: f32"] },
        code: perEntry("y[i] = p.value;"),
      }));
      gpu.run(shader, [out], [size, value], groupsOfEntries(size));
      return out;
    },
  );
}

/**
 * Where an operand has the `i`-th entry of an output of this shape, whose first or last axes it may lack: WGSL. Undefined for
 * what is repeated otherwise.
 */
function entryOf(operand: readonly number[], shape: readonly number[]): string | undefined {
  if (operand.length > shape.length) return undefined;
  const padded = [...Array<number>(shape.length - operand.length).fill(1), ...operand];
  if (padded.join() === shape.join()) return "i";
  if (padded.some((length, axis) => length !== 1 && length !== shape[axis])) return undefined;
  const size = sizeOf(operand);
  const all = sizeOf(shape);
  const own = shape.map((length, axis) => length > 1 && padded[axis] === length);
  const repeated = shape.map((length, axis) => length > 1 && padded[axis] === 1);
  if (own.lastIndexOf(true) < repeated.indexOf(true)) return `i / ${all / size}u`;
  return repeated.lastIndexOf(true) < own.indexOf(true) ? `i % ${size}u` : undefined;
}

function registerBinary(name: string, operator: string): void {
  registerGpuKernel<Pair>(name, ({ a, b }, _, gpu) => {
    const shape = backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
    if (!isLarge(gpu, shape) || a.dtype !== "float32" || b.dtype !== "float32") return undefined;
    const [ofA, ofB] = [entryOf(a.shape, shape), entryOf(b.shape, shape)];
    if (ofA === undefined || ofB === undefined) return undefined;
    const code = `y[i] = a[${ofA}] ${operator} b[${ofB}];`;
    const shader = program(`large ${code}`, () => ({
      ...{ params: ["size: u32"], reads: ["a: f32", "b: f32"], writes: ["y: f32"] },
      code: perEntry(code),
    }));
    const out = gpu.newTensor(shape);
    const size = sizeOf(shape);
    gpu.run(shader, [a, b, out], [size], groupsOfEntries(size));
    return out;
  });
}

/** Over axes that follow each other: a workgroup has an entry of the output. */
function registerSum(): void {
  registerGpuKernel<{ x: Info }, { axis?: number | number[] | null; keepDims?: boolean }>(
    "Sum",
    ({ x }, { axis, keepDims = false }, gpu) => {
      const { shape } = x;
      if (!isLarge(gpu, shape) || x.dtype !== "float32") return undefined;
      const summedAway = reduction(shape, axis, keepDims);
      const axes = [...summedAway.axes].sort((i, j) => i - j);
      const [first, last] = [axes[0] ?? 0, axes.at(-1) ?? -1];
      if (axes.length === 0 || last - first !== axes.length - 1) return undefined;
      const summed = sizeOf(shape.slice(first, last + 1));
      const inner = sizeOf(shape.slice(last + 1));
      const out = gpu.newTensor(summedAway.shape);
      const shader = program("large sum", () => ({
        params: ["size: u32", "summed: u32", "inner: u32"],
        ...{ reads: ["x: f32"], writes: ["y: f32"] },
        code: `${laneSum(lanes)}
@compute @workgroup_size(${lanes})
fn main(${rowArguments}) {
  let i = ${groupIndex};
  if (i >= p.size) { return; }
  let start = i / p.inner * p.summed * p.inner + i % p.inner;
  var sum = 0.0;
  for (var k = lane; k < p.summed; k = k + ${lanes}u) { sum = sum + x[start + k * p.inner]; }
  sum = reduce_sum(sum, lane);
  if (lane == 0u) { y[i] = sum; }
}`,
      }));
      const size = sizeOf(out.shape);
      gpu.run(shader, [x, out], [size, summed, inner], groupsFor(size));
      return out;
    },
  );
}

/** Entries `start` to `start + count` of an axis. */
function cut(gpu: GpuTensors, x: Info, axis: number, start: number, count: number): Info {
  const shape = x.shape.map((length, i) => (i === axis ? count : length));
  const inner = sizeOf(x.shape.slice(axis + 1));
  const shader = program("large cut", () => ({
    params: ["size: u32", "piece: u32", "whole: u32", "start: u32"],
    ...{ reads: ["x: f32"], writes: ["y: f32"] },
    code: perEntry("y[i] = x[i / p.piece * p.whole + p.start + i % p.piece];"),
  }));
  const out = gpu.newTensor(shape);
  const size = sizeOf(shape);
  const whole = (x.shape[axis] as number) * inner;
  gpu.run(shader, [x, out], [size, count * inner, whole, start * inner], groupsOfEntries(size));
  return out;
}

function registerCuts(): void {
  registerGpuKernel<{ x: Info }, { numOrSizeSplits: number | number[]; axis: number }>(
    "SplitV",
    ({ x }, { numOrSizeSplits, axis }, gpu) => {
      if (x.dtype !== "float32" || !isLarge(gpu, x.shape)) return undefined;
      const along = axis < 0 ? axis + x.shape.length : axis;
      let start = 0;
      return backend_util.prepareSplitSize(x, numOrSizeSplits, along).map((count) => {
        start += count;
        return cut(gpu, x, along, start - count, count);
      });
    },
  );
  registerGpuKernel<{ x: Info }, { begin: number | number[]; size: number | number[] }>(
    "Slice",
    ({ x }, { begin, size }, gpu) => {
      if (x.dtype !== "float32" || !isLarge(gpu, x.shape)) return undefined;
      const parsed = slice_util.parseSliceParams(x as Tensor, begin, size);
      const [starts, counts] = parsed as [number[], number[]];
      return starts.reduce((given, start, axis) => {
        const count = counts[axis] as number;
        if (count === given.shape[axis] && given !== x) return given;
        const made = cut(gpu, given, axis, start, count);
        if (given !== x) gpu.disposeData(given.dataId);
        return made;
      }, x);
    },
  );
}

/** Lines of a matrix; zeros for one that it does not have. */
function registerGather(): void {
  registerGpuKernel<{ x: Info; indices: Info }, { axis: number; batchDims: number }>(
    "GatherV2",
    ({ x, indices }, { axis, batchDims }, gpu) => {
      const [lines, ...rest] = x.shape as [number, ...number[]];
      const shape = [...indices.shape, ...rest];
      const isOfLines = axis === 0 && batchDims === 0 && x.dtype === "float32";
      if (!isOfLines || indices.dtype !== "int32") return undefined;
      if (!isLarge(gpu, x.shape) && !isLarge(gpu, shape)) return undefined;
      const size = sizeOf(shape);
      const shader = program("large gather", () => ({
        params: ["size: u32", "width: u32", "lines: u32"],
        ...{ reads: ["x: f32", "ids: i32"], writes: ["y: f32"] },
        code: perEntry(`let id = u32(ids[i / p.width]);
  var value = 0.0;
  if (id < p.lines) { value = x[id * p.width + i % p.width]; }
  y[i] = value;`),
      }));
      const out = gpu.newTensor(shape);
      gpu.run(shader, [x, indices, out], [size, sizeOf(rest), lines], groupsOfEntries(size));
      return out;
    },
  );
}

function registerProduct(): void {
  registerGpuKernel<Pair, { transposeA: boolean; transposeB: boolean }>(
    "BatchMatMul",
    ({ a, b }, { transposeA, transposeB }, gpu) => {
      const isOne = [a, b].every(({ shape }) => sizeOf(shape.slice(0, -2)) === 1);
      const [ofA, ofB] = [a, b].map((tensor) => {
        const { width } = rowsOf(tensor);
        return [tensor.shape.at(-2) as number, width] as const;
      }) as [readonly [number, number], readonly [number, number]];
      const [rows, inner] = transposeA ? [ofA[1], ofA[0]] : ofA;
      const columns = transposeB ? ofB[0] : ofB[1];
      const shape = [...a.shape.slice(0, -2), rows, columns];
      if (!isOne || ![a.shape, b.shape, shape].some((given) => isLarge(gpu, given)))
        return undefined;
      const out = gpu.newTensor(shape);
      const of = { a: [a], b: [b], transposeA, transposeB, inner: [inner] };
      matmul(gpu, { jobs: [{ ...of, out, rows, columns }] });
      return out;
    },
  );
}

/**
 * tfjs's own kernels bind a tensor as a whole. These stand in for those of them that trainers and models use, where a tensor is
 * larger than a shader may bind at a time: ours are bound in pieces.
 */
export function registerLargeTensors(): void {
  registerFill();
  registerBinary("Add", "+");
  registerBinary("Sub", "-");
  registerBinary("Multiply", "*");
  registerSum();
  registerCuts();
  registerGather();
  registerProduct();
}
