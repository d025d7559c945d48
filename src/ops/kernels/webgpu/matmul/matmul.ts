import type * as tf from "@tensorflow/tfjs-core";
import { type MatmulCall, stridesOf } from "./matmul-job.js";
import { fitsBindings, inParts, inRows } from "./matmul-parts.js";
import { matmulProgram } from "./matmul-program.js";
import { matricesFor, type MatrixShape } from "./matrix-shape.js";
import { matrixProducts } from "./matrix-products.js";
import { arraysByFours, readingOf } from "./reading.js";
import { registerProducts } from "./register-products.js";
import { type Roles, rolesOf } from "./roles.js";
import { tileSizes, tilesNow } from "./tiles.js";
import { type GpuProgram, program } from "../programs/program.js";
import type { GpuTensors } from "../programs/registry.js";

/** Runs it: in parts, where a matrix is larger than what the device binds. */
export function matmul(gpu: GpuTensors, call: MatmulCall): void {
  const isWhole = call.norm !== undefined || call.epilogue !== undefined;
  if (isWhole) return inRows(gpu, call, (part) => runOnce(gpu, part));
  if (call.jobs.every((job) => fitsBindings(gpu, job))) return runOnce(gpu, call);
  for (const job of call.jobs) {
    inParts(gpu, job, call.offsets, (part) => runOnce(gpu, { ...call, jobs: [part] }));
  }
}

/** A workgroup for each tile of each output. */
function runOnce(gpu: GpuTensors, call: MatmulCall): void {
  const { jobs } = call;
  const { arrays, roles } = rolesOf(call);
  const { down, across } = tileSizes();
  const groups = [
    Math.max(...jobs.map(({ columns }) => Math.ceil(columns / across))),
    Math.max(...jobs.map(({ rows }) => Math.ceil(rows / down))),
    jobs.length,
  ] as const;
  const tensors = [...arrays, ...othersOf(call)];
  gpu.run(shaderOf(call, roles, arrays.length), tensors, paramsOf(call), groups);
}

/** The shader, with one that loads number by number for where the other's arrays do not lie as it needs them. */
function shaderOf(call: MatmulCall, roles: Roles, count: number): GpuProgram {
  const { jobs, epilogue, second } = call;
  const matrices = matricesFor(call);
  const common = [
    ...jobs.map((job) => `${job.transposeA ? "t" : "n"}${job.transposeB ? "t" : "n"}`),
    ...Object.values(tilesNow()),
    ...Object.values(roles).map((role) => JSON.stringify(role) ?? ""),
    ...[epilogue?.code.name ?? "", matrices ? matricesInWords(matrices) : ""],
  ];
  const of = (byFours: readonly boolean[], otherwise?: GpuProgram) => {
    const loads = byFours.map((is) => (is ? 4 : 1)).join("");
    const name = ["matmul", ...common, otherwise ? `loads ${loads}` : ""].join(" ");
    return program(name, () => {
      const products = second ? 2 : 1;
      const made = matrices ? matrixProducts(matrices, products) : registerProducts(products);
      const code = matmulProgram(call, roles, readingOf(byFours), made, count);
      return { ...code, ...(otherwise && { otherwise }) };
    });
  };
  const plain = of(Array.from({ length: count }, () => false));
  const byFours = arraysByFours(call, roles, count);
  return byFours.includes(true) ? of(byFours, plain) : plain;
}

const matricesInWords = ({ component, M, N, K, lanes }: MatrixShape) =>
  `by ${lanes} lanes ${component} ${M}x${N}x${K}`;

/** Arrays that are no operands: those of the epilogue, and outputs. */
function othersOf({ jobs, norm, epilogue }: MatmulCall): tf.TensorInfo[] {
  const given = epilogue?.tensors ?? [];
  const reads = epilogue?.code.reads.length ?? 0;
  return [
    ...given.slice(0, reads),
    ...jobs.flatMap(({ out }) => (out ? [out] : [])),
    ...given.slice(reads),
    ...(norm ? [norm.normed, norm.scale, ...(norm.mean ? [norm.mean] : [])] : []),
  ];
}

function paramsOf({ jobs, norm, offsets = {} }: MatmulCall): number[] {
  const sizes = jobs.flatMap((job) => [
    ...[job.rows, job.columns],
    ...job.inner.flatMap((length, term) => {
      const strides = stridesOf(job, term);
      return [length, strides.a, strides.b];
    }),
    stridesOf(job, 0).out,
  ]);
  const { a = 0, b = 0, out = 0 } = offsets;
  return [...sizes, a, b, out, norm?.epsilon ?? 0];
}
