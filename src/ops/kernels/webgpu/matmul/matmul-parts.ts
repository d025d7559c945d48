import type * as tf from "@tensorflow/tfjs-core";
import { type MatmulCall, type MatmulJob, type Strides, stridesOf } from "./matmul-job.js";
import { type GpuTensors, rowsOf, sizeOf } from "../programs/registry.js";

type Info = tf.TensorInfo;
type Axis = "rows" | "columns" | "inner";

/** Parts begin at multiples of this many lines, so that a view of them may be bound. */
const unit = 64;

export function fitsBindings(gpu: GpuTensors, { a, b, out, residual }: MatmulJob): boolean {
  return [...a, ...b, out, residual].every((tensor) => !tensor || fits(gpu, tensor));
}

const fits = (gpu: GpuTensors, { shape }: Info) => 4 * sizeOf(shape) <= gpu.mostBytes;

/**
 * Runs a product part by part: over the axis whose lines follow each other in the matrix that is too large, and in the parts
 * over another one if they still hold one that is. Parts of the inner axis add to what is there.
 */
export function inParts(
  gpu: GpuTensors,
  job: MatmulJob,
  offsets: MatmulCall["offsets"],
  run: (part: MatmulJob) => void,
): void {
  const terms = job.inner.map(
    (length, term): Part => ({
      ...{ ...job, a: [job.a[term] as Info], b: [job.b[term] as Info], inner: [length] },
      strides: stridesOf(job, term),
    }),
  );
  for (const [term, part] of terms.entries()) {
    const added = term === 0 ? part : { ...part, bias: undefined, residual: job.out };
    ofTerm(gpu, added, offsets, run);
  }
}

/**
 * Runs a call with a norm, or with something else than storing behind it, for some rows at a time, where a matrix of all rows
 * is larger than what the device binds. Weights stay whole.
 */
export function inRows(gpu: GpuTensors, call: MatmulCall, run: (part: MatmulCall) => void): void {
  const { jobs, norm, epilogue } = call;
  const ofRows = [
    ...jobs.flatMap(({ a, out, residual }) => [...a, out, residual]),
    ...(epilogue?.tensors ?? []),
    ...[norm?.normed, norm?.scale, norm?.mean],
  ].filter((tensor) => tensor !== undefined);
  const isRowByRow = jobs.every(({ transposeA, strides }) => !transposeA && !strides);
  if (!isRowByRow || ofRows.every((tensor) => fits(gpu, tensor))) return run(call);
  const { rows } = jobs[0] as MatmulJob;
  const widest = Math.max(...ofRows.map((tensor) => rowsOf(tensor).width));
  const most = unit * Math.max(1, Math.floor(gpu.mostBytes / 4 / widest / unit));
  for (let start = 0; start < rows; start += most) {
    const count = Math.min(most, rows - start);
    const views = new Map<object, Info>();
    const view = <T extends Info | undefined>(tensor: T): T => {
      if (tensor === undefined) return tensor;
      const line = sizeOf(tensor.shape) / rows;
      const made = views.get(tensor.dataId) ?? gpu.view(tensor, start * line, count * line);
      views.set(tensor.dataId, made);
      return made as T;
    };
    run({
      ...call,
      jobs: jobs.map(({ out, ...job }) => ({
        ...{ ...job, a: job.a.map(view), residual: view(job.residual), rows: count },
        ...(out && { out: view(out) }),
      })),
      norm: norm && {
        ...{ ...norm, normed: view(norm.normed), scale: view(norm.scale), mean: view(norm.mean) },
      },
      ...(epilogue && { epilogue: { ...epilogue, tensors: epilogue.tensors.map(view) } }),
    });
    for (const { dataId } of views.values()) gpu.disposeData(dataId);
  }
}

type Part = MatmulJob & { readonly strides: Strides };

function ofTerm(
  gpu: GpuTensors,
  job: Part,
  offsets: MatmulCall["offsets"],
  run: (part: MatmulJob) => void,
): void {
  const axis = axisToSplit(gpu, job);
  if (axis === undefined) return run(job);
  const lengths = { rows: job.rows, columns: job.columns, inner: job.inner[0] as number };
  const { lines, stride } = axis.of;
  const most = unit * Math.max(1, Math.floor(gpu.mostBytes / 4 / stride / unit));
  for (let start = 0; start < lines; start += most) {
    const count = Math.min(most, lines - start);
    const views: Info[] = [];
    const part = partOf(gpu, job, offsets ?? {}, { axis: axis.name, start, count, lengths }, views);
    ofTerm(gpu, part, offsets, run);
    for (const { dataId } of views) gpu.disposeData(dataId);
  }
}

/** The axis of which the lines of a matrix that is too large follow each other. */
function axisToSplit(gpu: GpuTensors, job: Part) {
  const { a, b, out, residual, strides, transposeA, transposeB, rows, columns, inner } = job;
  const lengths = { rows, columns, inner: inner[0] as number };
  const choose = (name: Axis, stride: number) => ({ name, of: { lines: lengths[name], stride } });
  const candidates = [
    { tensor: a[0], axis: choose(transposeA ? "inner" : "rows", strides.a) },
    { tensor: b[0], axis: choose(transposeB ? "columns" : "inner", strides.b) },
    { tensor: out, axis: choose("rows", strides.out) },
    { tensor: residual, axis: choose("rows", strides.out) },
  ];
  const large = candidates.find(({ tensor, axis }) => {
    return tensor !== undefined && !fits(gpu, tensor) && axis.of.lines > unit;
  });
  return large?.axis;
}

interface Range {
  readonly axis: Axis;
  readonly start: number;
  readonly count: number;
  readonly lengths: Readonly<Record<Axis, number>>;
}

/** The job over a part of an axis, its matrices as views; these are added to `views`. */
function partOf(
  gpu: GpuTensors,
  job: Part,
  offsets: NonNullable<MatmulCall["offsets"]>,
  { axis, start, count, lengths: whole }: Range,
  views: Info[],
): Part {
  const lengths = { ...whole, [axis]: count };
  /** A matrix with lines along one axis and entries along another, from the part's first on. */
  const view = (tensor: Info, line: Axis, entry: Axis, stride: number, offset = 0) => {
    if (axis !== line && axis !== entry) return tensor;
    const at = axis === line ? start * stride : start;
    const words = (lengths[line] - 1) * stride + lengths[entry] + offset;
    const made = gpu.view(tensor, at, words);
    views.push(made);
    return made;
  };
  const { strides, transposeA, transposeB, bias, residual, out } = job;
  const a = job.a[0] as Info;
  const b = job.b[0] as Info;
  const output = (tensor: Info | undefined) =>
    tensor && view(tensor, "rows", "columns", strides.out, offsets.out);
  const isLater = axis === "inner" && start > 0;
  const target = output(out);
  return {
    ...job,
    a: [
      transposeA
        ? view(a, "inner", "rows", strides.a, offsets.a)
        : view(a, "rows", "inner", strides.a, offsets.a),
    ],
    b: [
      transposeB
        ? view(b, "columns", "inner", strides.b, offsets.b)
        : view(b, "inner", "columns", strides.b, offsets.b),
    ],
    ...(target && { out: target }),
    bias: isLater
      ? undefined
      : bias && axis === "columns"
        ? columnsOf(gpu, bias, start, count, views)
        : bias,
    residual: isLater ? target : output(residual),
    ...{ rows: lengths.rows, columns: lengths.columns, inner: [lengths.inner] },
  };
}

function columnsOf(gpu: GpuTensors, bias: Info, start: number, count: number, views: Info[]): Info {
  const made = gpu.view(bias, start, count);
  views.push(made);
  return made;
}
