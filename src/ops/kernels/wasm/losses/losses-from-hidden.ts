import type * as tf from "@tensorflow/tfjs-core";
import {
  type HiddenLossAttributes,
  type HiddenLossTensors,
  rowsPerChunk,
} from "../../../row-losses/losses-from-hidden.js";
import type { SettledRowLoss } from "../../../row-losses/row-loss.js";
import { divergenceKinds, divergenceSettings } from "./losses.js";
import { isFloat, registerWasmKernel, rowsOf, sizeOf, type WasmTensors } from "../registry.js";
import { Scratch } from "../engine/scratch.js";
import { MATMUL } from "../layers/products.js";

type Info = tf.TensorInfo;
type Inputs = { [K in keyof HiddenLossTensors]: Info };

/** Addresses of the rows that count, packed: everything below works on those alone. */
interface PackedRows {
  readonly count: number;
  readonly hidden: number;
  readonly teacher: number;
  readonly labels: number;
  /** Their numbers, int32. */
  readonly ids: number;
  /** By term, what the gradient of a row is multiplied by; and the value of the row. */
  readonly dy: readonly number[];
  readonly values: readonly number[];
  /** By term, weight times scale. */
  readonly weights: readonly Float64Array[];
}

function packRows(
  inputs: Inputs,
  { terms }: HiddenLossAttributes,
  backend: WasmTensors,
  scratch: Scratch,
): PackedRows {
  const { kernels } = backend.engine;
  const given = terms.map((_, i) => backend.valuesOf(inputs[`weights${i}`] as Info));
  const numRows = given[0]?.length ?? 0;
  const active: number[] = [];
  for (let row = 0; row < numRows; row++) {
    if (given.some((weights) => weights[row] !== 0)) active.push(row);
  }
  const count = active.length;
  const weights = terms.map(({ scale }, i) =>
    Float64Array.from(active, (row) => ((given[i] as ArrayLike<number>)[row] as number) * scale),
  );
  const ids = scratch.int32(Int32Array.from(active));
  const factors = factorsOf(inputs, terms, backend);
  const dy = factors.map((factor, i) =>
    scratch.float32((weights[i] as Float64Array).map((weight) => weight * factor)),
  );
  const values = terms.map(() => scratch.allocate(4 * count));
  const pack = (x: Info | undefined, width: number): number => {
    if (x === undefined) return 0;
    if (count === numRows) return backend.address(x);
    const packed = scratch.allocate(4 * count * width);
    kernels.gatherRows(backend.address(x), ids, packed, count, width);
    return packed;
  };
  const { studentHidden, teacherHidden, labels } = inputs;
  return {
    count,
    hidden: pack(studentHidden, rowsOf(studentHidden).width),
    teacher: pack(teacherHidden, teacherHidden ? rowsOf(teacherHidden).width : 0),
    labels: pack(labels, 1),
    ...{ ids, dy, values, weights },
  };
}

/** Factors of the terms in the total. */
function factorsOf(
  { factors }: Inputs,
  terms: HiddenLossAttributes["terms"],
  backend: WasmTensors,
): number[] {
  return factors ? Array.from(backend.valuesOf(factors)) : terms.map(({ factor }) => factor);
}

/** Where the logits of one chunk of rows are. */
interface ChunkLogits {
  readonly rows: number;
  readonly student: number;
  readonly teacher: number;
  readonly labels: number;
}

/** Values of one term, and its gradient if `gradient` is an address. */
function rowLoss(
  term: SettledRowLoss,
  { rows, student, teacher, labels }: ChunkLogits,
  width: number,
  { dy, values, gradient, adds }: { dy: number; values: number; gradient: number; adds: boolean },
  backend: WasmTensors,
): void {
  const { kernels } = backend.engine;
  const add = adds ? 1 : 0;
  const sizes = [rows, width] as const;
  const kind = divergenceKinds[term.kind];
  if (kind === undefined) {
    const { labelSmoothing } = term;
    if (gradient === 0) {
      kernels.crossEntropy(student, labels, values, ...sizes, labelSmoothing);
    } else {
      const at = [dy, student, labels, gradient] as const;
      kernels.crossEntropyGrad(...at, ...sizes, labelSmoothing, values, add);
    }
    return;
  }
  const settings = divergenceSettings(term);
  if (gradient === 0) kernels.divergence(kind, student, teacher, values, ...sizes, ...settings);
  else {
    const at = [dy, student, teacher, gradient] as const;
    kernels.divergenceGrad(kind, ...at, ...sizes, ...settings, values, add);
  }
}

/** Outputs that are under way: given back if there is no memory for the next. */
function newOutputs(shapes: readonly number[][], backend: WasmTensors): Info[] {
  const outputs: Info[] = [];
  try {
    for (const shape of shapes) outputs.push(backend.newTensor(shape, "float32"));
    return outputs;
  } catch (error) {
    for (const { dataId } of outputs) backend.disposeData(dataId);
    throw error;
  }
}

function compute(inputs: Inputs, attributes: HiddenLossAttributes, backend: WasmTensors): Info[] {
  using scratch = new Scratch(backend.engine);
  const { kernels } = backend.engine;
  const { terms, gradient, chunkBytes } = attributes;
  const { studentHidden, studentHead, teacherHead, teacherLogits } = inputs;
  const [V, D] = studentHead.shape as [number, number];
  const E = teacherHead?.shape[1] ?? 0;
  const rows = packRows(inputs, attributes, backend, scratch);
  const { count } = rows;
  const needsGradient = gradient !== "none";
  // One term's gradient takes the place of the logits.
  const separate = needsGradient && terms.length > 1;
  // Given logits are read where they are, unless some of their rows are left out.
  const inPlace = teacherLogits !== undefined && count === sizeOf(teacherLogits.shape.slice(0, -1));
  const copies = teacherHead !== undefined || (teacherLogits !== undefined && !inPlace);
  const matrices = 1 + (copies ? 1 : 0) + (separate ? 1 : 0);
  const size = rowsPerChunk(count, V, matrices, chunkBytes);
  const [student, teacher, apart] = [0, 1, 2].map((i) =>
    i === 0 || (i === 1 && copies) || (i === 2 && separate) ? scratch.allocate(4 * size * V) : 0,
  ) as [number, number, number];
  const ofLogits = separate ? apart : needsGradient ? student : 0;
  const packedGradient = needsGradient ? scratch.allocate(4 * count * D) : 0;
  const heads = [studentHead, teacherHead].map((head) => (head ? backend.address(head) : 0));
  const [head, otherHead] = heads as [number, number];
  const outputs = newOutputs(
    [
      ...[[], [terms.length]],
      ...(needsGradient ? [studentHidden.shape] : []),
      ...(gradient === "both" ? [studentHead.shape] : []),
    ],
    backend,
  );
  const [total, sums, ofHidden, ofHead] = outputs as [Info, Info, Info?, Info?];
  if (ofHead && count === 0) kernels.fill(backend.address(ofHead), 0, V * D);

  for (let start = 0; start < count; start += size) {
    const n = Math.min(size, count - start);
    const at = (address: number, width = 1) => address + 4 * start * width;
    const hidden = at(rows.hidden, D);
    kernels.matmul(hidden, head, student, 0, 1, n, V, D, MATMUL.transposeB, 0, 0);
    let other = teacher;
    if (teacherHead) {
      const flags = MATMUL.transposeB;
      kernels.matmul(at(rows.teacher, E), otherHead, teacher, 0, 1, n, V, E, flags, 0, 0);
    } else if (teacherLogits && inPlace) other = at(backend.address(teacherLogits), V);
    else if (teacherLogits) {
      kernels.gatherRows(backend.address(teacherLogits), at(rows.ids), teacher, n, V);
    }
    const chunk = { rows: n, student, teacher: other, labels: at(rows.labels) };
    for (const [i, term] of terms.entries()) {
      const dy = at(rows.dy[i] as number);
      const values = at(rows.values[i] as number);
      rowLoss(term, chunk, V, { dy, values, gradient: ofLogits, adds: i > 0 }, backend);
    }
    if (!needsGradient) continue;
    kernels.matmul(ofLogits, head, at(packedGradient, D), 0, 1, n, D, V, 0, 0, 0);
    if (ofHead) {
      const flags = MATMUL.transposeA | (start > 0 ? MATMUL.accumulate : 0);
      kernels.matmul(ofLogits, hidden, backend.address(ofHead), 0, 1, V, D, n, flags, 0, 0);
    }
  }
  if (ofHidden) {
    const all = sizeOf(studentHidden.shape.slice(0, -1));
    kernels.scatterAddRows(packedGradient, rows.ids, backend.address(ofHidden), count, D, all);
  }
  writeSums(rows, factorsOf(inputs, terms, backend), scratch, backend, total, sums);
  return outputs;
}

/** Adds up in float64, so that the order of the rows hardly matters. */
function writeSums(
  { count, values, weights }: PackedRows,
  factors: readonly number[],
  scratch: Scratch,
  backend: WasmTensors,
  total: Info,
  sums: Info,
): void {
  const results = factors.map((_, i) => {
    const ofRows = scratch.view(values[i] as number, count);
    const ofTerm = weights[i] as Float64Array;
    let sum = 0;
    for (let row = 0; row < count; row++) {
      const weight = ofTerm[row] as number;
      if (weight !== 0) sum += weight * (ofRows[row] as number);
    }
    return sum;
  });
  scratch.view(backend.address(sums), factors.length).set(results);
  const all = results.reduce((sum, value, i) => sum + value * (factors[i] as number), 0);
  scratch.view(backend.address(total), 1)[0] = all;
}

export function registerLossesFromHidden(): void {
  registerWasmKernel<Inputs, HiddenLossAttributes>(
    "PupilLossesFromHidden",
    (inputs, attributes, backend) => {
      const { labels, ...floats } = inputs;
      if (!isFloat(...Object.values(floats)) || (labels && labels.dtype !== "int32")) {
        return undefined;
      }
      return compute(inputs, attributes, backend);
    },
  );
  registerWasmKernel<{ x: Info; dy: Info }>("PupilTimesScalar", ({ x, dy }, _, backend) => {
    // A loss that is differentiated by itself: the gradient as it is.
    if (backend.valuesOf(dy)[0] === 1) {
      backend.incRef(x.dataId);
      return { ...x };
    }
    const out = backend.newTensor(x.shape, "float32");
    const at = [backend.address(x), backend.address(dy), backend.address(out)] as const;
    backend.engine.kernels.binaryBroadcast(2, ...at, 1, 1, sizeOf(x.shape), 0, 0, 1, 0, 0, 0);
    return out;
  });
}
