import type * as tf from "@tensorflow/tfjs-core";
import {
  type HiddenLossAttributes,
  type HiddenLossTensors,
  rowsPerChunk,
} from "../../../row-losses/losses-from-hidden.js";
import { matmul } from "../matmul/matmul.js";
import { groupsFor, program } from "../programs/program.js";
import { laneSum } from "../programs/reductions.js";
import { type GpuTensors, registerGpuKernel, rowsOf } from "../programs/registry.js";
import {
  lanesFor,
  lossParams,
  readsTeacher,
  rowArrays,
  rowLossProgram,
} from "./row-loss-shader.js";

type Info = tf.TensorInfo;
type Inputs = { [K in keyof HiddenLossTensors]: Info };
type Terms = HiddenLossAttributes["terms"];

/** `out = rows of x · wᵀ`, for rows from `start` on. */
function logitsOf(gpu: GpuTensors, x: Info, head: Info, start: number, rows: number): Info {
  const { width } = rowsOf(x);
  const columns = head.shape[0] as number;
  const out = gpu.newTensor([rows, columns]);
  matmul(gpu, {
    jobs: [
      {
        ...{ a: [x], b: [head], out, rows, columns },
        ...{ transposeA: false, transposeB: true, inner: [width] },
      },
    ],
    offsets: { a: start * width },
  });
  return out;
}

/** Gradients of the hidden states (of these rows) and, added to what there was, of the head. */
function backward(
  gpu: GpuTensors,
  ofLogits: Info,
  { studentHidden, studentHead }: Inputs,
  start: number,
  into: { readonly hidden: Info; head?: Info | undefined },
  wantsHead: boolean,
): void {
  const { rows, width: vocabulary } = rowsOf(ofLogits);
  const { width } = rowsOf(studentHidden);
  matmul(gpu, {
    jobs: [
      {
        ...{ a: [ofLogits], b: [studentHead], out: into.hidden, rows, columns: width },
        ...{ transposeA: false, transposeB: false, inner: [vocabulary] },
      },
    ],
    offsets: { out: start * width },
  });
  if (!wantsHead) return;
  const before = into.head;
  const out = gpu.newTensor([vocabulary, width]);
  const job = { a: [ofLogits], b: [studentHidden], residual: before, out };
  matmul(gpu, {
    jobs: [
      {
        ...{ ...job, rows: vocabulary, columns: width },
        ...{ transposeA: true, transposeB: false, inner: [rows] },
      },
    ],
    offsets: { b: start * width },
  });
  if (before) gpu.disposeData(before.dataId);
  into.head = out;
}

/** `[total, sums]` of the weighted values `[rows, terms]`. */
function totals(
  gpu: GpuTensors,
  values: Info,
  rows: number,
  terms: Terms,
  given: Info | undefined,
): [Info, Info] {
  const [total, sums] = [gpu.newTensor([]), gpu.newTensor([terms.length])];
  const lanes = 256;
  const shader = program(`totals of ${terms.length} losses${given ? " by factors" : ""}`, () => ({
    params: ["rows: u32", ...terms.map((_, k) => `factor${k}: f32`)],
    reads: ["values: f32", ...(given ? ["factors: f32"] : [])],
    writes: ["total: f32", "sums: f32"],
    code: `${laneSum(lanes)}
@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) lane: u32) {
  ${terms
    .map(
      (_, k) => `var add${k} = 0.0;
  for (var i = lane; i < p.rows; i = i + ${lanes}u) { add${k} = add${k} + values[i * ${terms.length}u + ${k}u]; }
  let sum${k} = reduce_sum(add${k}, lane);`,
    )
    .join("\n  ")}
  if (lane == 0u) {
    total[0] = ${terms.map((_, k) => `sum${k} * ${given ? `factors[${k}]` : `p.factor${k}`}`).join(" + ")};
    ${terms.map((_, k) => `sums[${k}] = sum${k};`).join(" ")}
  }
}`,
  }));
  const factors = terms.map(({ factor }) => factor);
  const tensors = [values, ...(given ? [given] : []), total, sums];
  gpu.run(shader, tensors, [rows, ...factors], [1, 1, 1]);
  return [total, sums];
}

/**
 * Logits of a chunk of rows, all losses of them and their gradient in one call in the place of the logits, and the
 * products with it. A row of weight 0 gets a gradient of zeros, so nothing of it counts unless its hidden states are not
 * finite.
 */
export function registerLossesFromHidden(): void {
  registerGpuKernel<Inputs, HiddenLossAttributes>(
    "PupilLossesFromHidden",
    (inputs, { terms, gradient, chunkBytes }, gpu) => {
      const { studentHidden, studentHead, teacherHidden, teacherHead } = inputs;
      const { teacherLogits, labels, factors } = inputs;
      const kinds = terms.map(({ kind }) => kind);
      const output = gradient === "none" ? "weighted" : "weighted in place";
      const hasFactors = factors !== undefined;
      const arrays = rowArrays(kinds, output, hasFactors);
      const { rows } = rowsOf(studentHidden);
      // Factors are copied beside a term's weights where there is no room for them.
      const needed = arrays.reads.length + arrays.writes.length - (hasFactors ? 1 : 0);
      if (rows === 0 || needed > gpu.mostArrays) return undefined;
      const vocabulary = studentHead.shape[0] as number;
      const lanes = lanesFor(vocabulary);
      const shader = rowLossProgram(kinds, output, lanes, hasFactors);
      const values = gpu.newTensor([rows, terms.length]);
      const into: { hidden: Info; head?: Info | undefined } | undefined =
        gradient === "none" ? undefined : { hidden: gpu.newTensor(studentHidden.shape) };
      const size = rowsPerChunk(rows, vocabulary, teacherHidden ? 2 : 1, chunkBytes);
      for (let start = 0; start < rows; start += size) {
        const count = Math.min(size, rows - start);
        const student = logitsOf(gpu, studentHidden, studentHead, start, count);
        const own =
          teacherHidden && teacherHead && kinds.some(readsTeacher)
            ? logitsOf(gpu, teacherHidden, teacherHead, start, count)
            : undefined;
        const given: Record<string, Info | undefined> = {
          ...{ student, teacher: own ?? teacherLogits, labels, values, factors },
          ...Object.fromEntries(terms.map((_, k) => [`weights${k}`, inputs[`weights${k}`]])),
        };
        const tensors = [...arrays.reads, ...arrays.writes].map((name) => given[name] as Info);
        const params = terms.flatMap((term) => [
          ...lossParams(term),
          ...[term.scale, term.scale * term.factor],
        ]);
        const firsts = [start, own ? 0 : start];
        gpu.run(shader, tensors, [count, vocabulary, ...firsts, ...params], groupsFor(count));
        if (own) gpu.disposeData(own.dataId);
        if (into) backward(gpu, student, inputs, start, into, gradient === "both");
        gpu.disposeData(student.dataId);
      }
      const outputs = totals(gpu, values, rows, terms, factors);
      gpu.disposeData(values.dataId);
      return [...outputs, ...(into ? [into.hidden, ...(into.head ? [into.head] : [])] : [])];
    },
  );
}
