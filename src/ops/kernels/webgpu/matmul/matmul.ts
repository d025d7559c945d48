import type * as tf from "@tensorflow/tfjs-core";
import { type MatmulCall, stridesOf } from "./matmul-job.js";
import { fitsBindings, inParts, inRows } from "./matmul-parts.js";
import { matmulProgram, type Roles, tilesNow } from "./matmul-program.js";
import { program } from "../programs/program.js";
import type { GpuTensors } from "../programs/registry.js";

type Info = tf.TensorInfo;

function rolesOf({ jobs, norm, second }: MatmulCall): Roles {
  const arrays: Info[] = [];
  const roleOf = (tensor: Info) => {
    const at = arrays.findIndex(({ dataId }) => dataId === tensor.dataId);
    return at >= 0 ? at : arrays.push(tensor) - 1;
  };
  const optional = (tensor: Info | undefined) => (tensor ? roleOf(tensor) : undefined);
  return {
    arrays,
    a: jobs.map(({ a }) => a.map(roleOf)),
    b: jobs.map(({ b }) => b.map(roleOf)),
    bias: jobs.map(({ bias }) => optional(bias)),
    residual: jobs.map(({ residual }) => optional(residual)),
    norm: norm && { weight: roleOf(norm.weight), bias: optional(norm.bias) },
    second: second && { b: roleOf(second.b), bias: optional(second.bias) },
  };
}

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
  const { jobs, norm, epilogue, offsets = {} } = call;
  const roles = rolesOf(call);
  const tiles = tilesNow();
  const [down, across] = [
    tiles.threadRows * tiles.groupRows,
    tiles.threadColumns * tiles.groupColumns,
  ];
  const extra = epilogue?.code;
  const { arrays, ...others } = roles;
  const name = [
    "matmul",
    ...jobs.map((job) => `${job.transposeA ? "t" : "n"}${job.transposeB ? "t" : "n"}`),
    ...Object.values(tiles),
    ...Object.values(others).map((role) => JSON.stringify(role) ?? ""),
    extra?.name ?? "",
  ].join(" ");
  const shader = program(name, () => matmulProgram(call, roles));
  const groups = [
    Math.max(...jobs.map(({ columns }) => Math.ceil(columns / across))),
    Math.max(...jobs.map(({ rows }) => Math.ceil(rows / down))),
    jobs.length,
  ] as const;
  const given = epilogue?.tensors ?? [];
  const reads = given.slice(0, extra?.reads.length ?? 0);
  const writes = [
    ...jobs.flatMap(({ out }) => (out ? [out] : [])),
    ...given.slice(reads.length),
    ...(norm ? [norm.normed, norm.scale, ...(norm.mean ? [norm.mean] : [])] : []),
  ];
  const { a = 0, b = 0, out = 0 } = offsets;
  const sizes = jobs.flatMap((job) => [
    ...[job.rows, job.columns],
    ...job.inner.flatMap((length, term) => {
      const strides = stridesOf(job, term);
      return [length, strides.a, strides.b];
    }),
    stridesOf(job, 0).out,
  ]);
  const params = [...sizes, a, b, out, norm?.epsilon ?? 0];
  gpu.run(shader, [...arrays, ...reads, ...writes], params, groups);
}
