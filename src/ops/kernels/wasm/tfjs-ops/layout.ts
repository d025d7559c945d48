import * as tf from "@tensorflow/tfjs-core";
import { isFloat, registerWasmKernel, sizeOf, type WasmTensors } from "../registry.js";

interface CopyAxis {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

/** Merges axes that are contiguous on both sides and pads to four; undefined if more are left. */
function fourAxes(axes: readonly CopyAxis[]): CopyAxis[] | undefined {
  const merged: CopyAxis[] = [];
  for (const axis of axes) {
    if (axis.size === 1) continue;
    const outer = merged[merged.length - 1];
    if (outer && outer.from === axis.from * axis.size && outer.to === axis.to * axis.size) {
      merged[merged.length - 1] = { ...axis, size: outer.size * axis.size };
    } else merged.push(axis);
  }
  if (merged.length > 4) return undefined;
  const whole = { size: 1, from: 0, to: 0 };
  // A single contiguous piece is cut in two, so that threads can share it.
  const unit = { size: 1, from: 1, to: 1 };
  const last = merged[merged.length - 1] ?? unit;
  const padded = last.from === 1 && last.to === 1 ? merged : [...merged, unit];
  const usable = padded.length > 4 ? merged : padded;
  return [...Array.from({ length: 4 - usable.length }, () => whole), ...usable];
}

function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let next = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = next;
    next *= shape[i] as number;
  }
  return strides;
}

/** Copies 32-bit elements between addresses; false if there are too many separate axes. */
function copy(backend: WasmTensors, from: number, to: number, axes: readonly CopyAxis[]): boolean {
  const four = fourAxes(axes);
  if (four === undefined) return false;
  const sizes = four.map((axis) => axis.size);
  const strides = [...four.map((axis) => axis.from), ...four.map((axis) => axis.to)];
  backend.engine.kernels.stridedCopy(from, to, ...sizes, ...strides);
  return true;
}

function registerTile(): void {
  registerWasmKernel<{ x: tf.TensorInfo }, { reps: number[] }>(
    "Tile",
    ({ x }, { reps }, backend) => {
      if (!isNumeric(x)) return undefined;
      const shape = x.shape.map((size, i) => size * (reps[i] as number));
      const strides = stridesOf(x.shape);
      const target = stridesOf(shape);
      const axes = x.shape.flatMap((size, i) => [
        { size: reps[i] as number, from: 0, to: size * (target[i] as number) },
        { size, from: strides[i] as number, to: target[i] as number },
      ]);
      const out = backend.newTensor(shape, x.dtype as Numeric);
      if (sizeOf(shape) === 0) return out;
      if (copy(backend, backend.address(x), backend.address(out), axes)) return out;
      backend.disposeData(out.dataId);
      return undefined;
    },
  );
}

type Numeric = "float32" | "int32";

function isNumeric({ dtype }: tf.TensorInfo): boolean {
  return dtype === "float32" || dtype === "int32";
}

/** A part of x: `offset` elements in, with x's strides. */
function part(
  x: tf.TensorInfo,
  shape: number[],
  offset: number,
  backend: WasmTensors,
): tf.TensorInfo | undefined {
  const out = backend.newTensor(shape, x.dtype as Numeric);
  const strides = stridesOf(x.shape);
  const target = stridesOf(shape);
  const axes = shape.map((size, i) => ({
    size,
    from: strides[i] as number,
    to: target[i] as number,
  }));
  const done = copy(backend, backend.address(x) + 4 * offset, backend.address(out), axes);
  if (done) return out;
  backend.disposeData(out.dataId);
  return undefined;
}

function registerTranspose(): void {
  registerWasmKernel<{ x: tf.TensorInfo }, { perm: number[] }>(
    "Transpose",
    ({ x }, { perm }, backend) => {
      if (!isNumeric(x)) return undefined;
      const strides = stridesOf(x.shape);
      const shape = perm.map((axis) => x.shape[axis] as number);
      const out = backend.newTensor(shape, x.dtype as Numeric);
      const target = stridesOf(shape);
      const axes = perm.map((axis, i) => ({
        size: x.shape[axis] as number,
        from: strides[axis] as number,
        to: target[i] as number,
      }));
      if (copy(backend, backend.address(x), backend.address(out), axes)) return out;
      backend.disposeData(out.dataId);
      return undefined;
    },
  );
}

function registerSlices(): void {
  registerWasmKernel<{ x: tf.TensorInfo }, { begin: number[]; size: number[] }>(
    "Slice",
    ({ x }, { begin, size }, backend) => {
      if (!isNumeric(x)) return undefined;
      const [start, shape] = tf.slice_util.parseSliceParams(x as tf.Tensor, begin, size);
      tf.slice_util.assertParamsValid(x as tf.Tensor, start as number[], shape as number[]);
      const strides = stridesOf(x.shape);
      const offset = (start as number[]).reduce((sum, s, i) => sum + s * (strides[i] as number), 0);
      return part(x, shape as number[], offset, backend);
    },
  );
  registerWasmKernel<{ x: tf.TensorInfo }, { numOrSizeSplits: number[] | number; axis: number }>(
    "SplitV",
    ({ x }, { numOrSizeSplits, axis }, backend) => {
      if (!isNumeric(x)) return undefined;
      const along = tf.util.parseAxisParam(axis, x.shape)[0] as number;
      const sizes = tf.backend_util.prepareSplitSize(x as tf.Tensor, numOrSizeSplits, along);
      const stride = stridesOf(x.shape)[along] as number;
      const outputs: tf.TensorInfo[] = [];
      let offset = 0;
      for (const size of sizes) {
        const shape = x.shape.map((s, i) => (i === along ? size : s));
        // Fewer than three separate axes: always possible.
        outputs.push(part(x, shape, offset * stride, backend) as tf.TensorInfo);
        offset += size;
      }
      return outputs;
    },
  );
}

function registerConcat(): void {
  registerWasmKernel<tf.TensorInfo[], { axis: number }>("Concat", (inputs, { axis }, backend) => {
    const first = inputs[0] as tf.TensorInfo;
    if (!isNumeric(first) || inputs.some((t) => t.dtype !== first.dtype)) return undefined;
    const along = tf.util.parseAxisParam(axis, first.shape)[0] as number;
    const shapes = inputs.map((t) => t.shape);
    tf.backend_util.assertParamsConsistent(shapes, along);
    const shape = tf.backend_util.computeOutShape(shapes, along);
    const out = backend.newTensor(shape, first.dtype as Numeric);
    const outer = sizeOf(shape.slice(0, along));
    const inner = sizeOf(shape.slice(along + 1));
    const total = (shape[along] as number) * inner;
    let to = backend.address(out);
    for (const t of inputs) {
      const width = (t.shape[along] as number) * inner;
      if (width === 0 || outer === 0) continue;
      copy(backend, backend.address(t), to, [
        { size: outer, from: width, to: total },
        { size: width, from: 1, to: 1 },
      ]);
      to += 4 * width;
    }
    return out;
  });
}

function registerFills(): void {
  registerWasmKernel<object, { shape: number[]; value: number | string; dtype: tf.DataType }>(
    "Fill",
    (_, { shape, value, dtype }, backend) => {
      if (typeof value !== "number" || (dtype !== undefined && dtype !== "float32")) {
        return undefined;
      }
      return filled(shape, value, backend);
    },
  );
  registerWasmKernel<{ x: tf.TensorInfo }>("ZerosLike", ({ x }, _, backend) =>
    isFloat(x) ? filled(x.shape, 0, backend) : undefined,
  );
  registerWasmKernel<{ x: tf.TensorInfo }>("OnesLike", ({ x }, _, backend) =>
    isFloat(x) ? filled(x.shape, 1, backend) : undefined,
  );
}

function filled(shape: number[], value: number, backend: WasmTensors): tf.TensorInfo {
  const out = backend.newTensor(shape, "float32");
  backend.engine.kernels.fill(backend.address(out), value, sizeOf(shape));
  return out;
}

/** Unlike tfjs's own, which may give the same bytes another type, this one always converts. */
function registerCast(): void {
  registerWasmKernel<{ x: tf.TensorInfo }, { dtype: tf.DataType }>(
    "Cast",
    ({ x }, { dtype }, backend) => {
      const numeric = dtype === "float32" || dtype === "int32";
      if (!numeric || x.dtype === dtype || !(isNumeric(x) || x.dtype === "bool")) return undefined;
      const out = backend.newTensor(x.shape, dtype);
      (backend.valuesOf(out) as Float32Array | Int32Array).set(backend.valuesOf(x));
      return out;
    },
  );
}

export function registerLayout(): void {
  registerTranspose();
  registerSlices();
  registerConcat();
  registerTile();
  registerFills();
  registerCast();
}
