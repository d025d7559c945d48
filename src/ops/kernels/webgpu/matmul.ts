import type * as tf from "@tensorflow/tfjs-core";
import { type GpuProgram, program } from "./program.js";
import type { GpuTensors } from "./registry.js";

type Info = tf.TensorInfo;

/** Sizes of the tiles, for a sweep on a card: a thread computes `rows × columns` of the output. */
export interface MatmulTiles {
  readonly threadRows: number;
  readonly threadColumns: number;
  /** Threads of a workgroup, down and across. */
  readonly groupRows: number;
  readonly groupColumns: number;
  /** How much of the inner axis is in workgroup memory at a time. */
  readonly depth: number;
}

const defaultTiles: MatmulTiles = {
  ...{ threadRows: 4, threadColumns: 4, groupRows: 8, groupColumns: 8, depth: 16 },
};
let tiles = defaultTiles;

/** Takes other tiles from now on; without any, the usual ones. */
export function setMatmulTiles(chosen: Partial<MatmulTiles> = {}): void {
  tiles = { ...defaultTiles, ...chosen };
}

/**
 * What becomes of an entry of the product instead of its being stored: WGSL that reads `value`, `row`, `col`, the
 * index `at`, the width `width` and the arrays named here.
 */
export interface Epilogue {
  readonly name: string;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly code: string;
  /** Functions that the code calls. */
  readonly functions?: string;
}

/** One output: the sum of `a · b` over pairs, by term. All jobs of a call have as many terms. */
export interface MatmulJob {
  readonly a: readonly Info[];
  readonly b: readonly Info[];
  readonly bias?: Info | undefined;
  /** Added to the product. */
  readonly residual?: Info | undefined;
  /** Absent with an epilogue. */
  readonly out?: Info;
  readonly rows: number;
  readonly columns: number;
}

export interface MatmulCall {
  /** Computed side by side, in one call. */
  readonly jobs: readonly MatmulJob[];
  /** Whether every a is stored as `[inner, rows]`, and every b as `[columns, inner]`. */
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** Length of the inner axis of each term. */
  readonly inner: readonly number[];
  /** Where the operands and outputs begin in their arrays, by default at 0. */
  readonly offsets?: { readonly a?: number; readonly b?: number; readonly out?: number };
  /** For a single job. */
  readonly epilogue?: { readonly code: Epilogue; readonly tensors: readonly Info[] };
}

/** Which array each operand is: equal tensors are bound once. */
interface Roles {
  readonly arrays: Info[];
  /** By job and term. */
  readonly a: number[][];
  readonly b: number[][];
  readonly bias: (number | undefined)[];
  readonly residual: (number | undefined)[];
}

function rolesOf(jobs: readonly MatmulJob[]): Roles {
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
  };
}

/** Runs it, as several calls where the device binds too few arrays at a time. */
export function matmul(gpu: GpuTensors, call: MatmulCall): void {
  const { jobs, inner, epilogue, offsets = {} } = call;
  const roles = rolesOf(jobs);
  const outputs = jobs.flatMap(({ out }) => (out ? [out] : []));
  const count = roles.arrays.length + outputs.length;
  if (count > gpu.mostArrays && jobs.length > 1) {
    for (const job of jobs) matmul(gpu, { ...call, jobs: [job] });
    return;
  }
  const [down, across] = [
    tiles.threadRows * tiles.groupRows,
    tiles.threadColumns * tiles.groupColumns,
  ];
  const extra = epilogue?.code;
  const name = [
    ...["matmul", call.transposeA ? "t" : "n", call.transposeB ? "t" : "n"],
    ...Object.values(tiles),
    ...[roles.a, roles.b, roles.bias, roles.residual].map((role) => JSON.stringify(role)),
    extra?.name ?? "",
  ].join(" ");
  const shader = program(name, () => matmulProgram(call, roles));
  const sizes = jobs.flatMap(({ rows, columns }) => [rows, columns]);
  const groups = [
    Math.max(...jobs.map(({ columns }) => Math.ceil(columns / across))),
    Math.max(...jobs.map(({ rows }) => Math.ceil(rows / down))),
    jobs.length,
  ] as const;
  const given = epilogue?.tensors ?? [];
  const reads = given.slice(0, extra?.reads.length ?? 0);
  const writes = given.slice(reads.length);
  const tensors = [...roles.arrays, ...reads, ...outputs, ...writes];
  const { a = 0, b = 0, out = 0 } = offsets;
  gpu.run(shader, tensors, [...sizes, ...inner, a, b, out], groups);
}

function matmulProgram(
  { jobs, transposeA, transposeB, inner, epilogue }: MatmulCall,
  roles: Roles,
): Omit<GpuProgram, "name"> {
  const { threadRows, threadColumns, groupRows, groupColumns, depth } = tiles;
  const [down, across] = [threadRows * groupRows, threadColumns * groupColumns];
  const threads = groupRows * groupColumns;
  const extra = epilogue?.code;
  const indices = (count: number) => Array.from({ length: count }, (_, i) => i);
  // One more, so that writes along the other axis fall into different banks.
  const [strideA, strideB] = [down + 1, across + 1];
  const byJob = (of: (job: number) => string) =>
    jobs.length === 1
      ? of(0)
      : `switch (job) { ${jobs
          .map(
            (_, job) => `${job === jobs.length - 1 ? "default" : `case ${job}u`}: { ${of(job)} }`,
          )
          .join(" ")} }`;

  const loader = (name: "a" | "b", term: number) =>
    `fn load_${name}${term}(job: u32, i: u32) -> f32 { ${byJob(
      (job) => `return in${(roles[name][job] as number[])[term]}[p.offset_${name} + i];`,
    )}${jobs.length === 1 ? "" : " "} }`;

  /** Fills a tile in workgroup memory; the faster index is the one along which memory is contiguous. */
  const fill = (name: "a" | "b", term: number) => {
    const [size, stride] = name === "a" ? [down, strideA] : [across, strideB];
    const innerFirst = name === "a" ? !transposeA : transposeB;
    const [i, k] = innerFirst
      ? [`e / ${depth}u`, `e % ${depth}u`]
      : [`e % ${size}u`, `e / ${size}u`];
    const [start, bound] = name === "a" ? ["row0", "rows"] : ["col0", "columns"];
    const at = innerFirst ? `o * inner${term} + k` : `k * ${bound} + o`;
    return `for (var e = lane; e < ${size * depth}u; e = e + ${threads}u) {
      let o = ${start} + ${i};
      let k = k0 + ${k};
      var value = 0.0;
      if (o < ${bound} && k < inner${term}) { value = load_${name}${term}(job, ${at}); }
      tile_${name}[(${k}) * ${stride}u + (${i})] = value;
    }`;
  };

  const products = indices(threadRows)
    .map((r) => {
      const a = `let a${r} = tile_a[k * ${strideA}u + local.y * ${threadRows}u + ${r}u];`;
      return (
        a +
        indices(threadColumns)
          .map((c) => `s${r}_${c} = fma(a${r}, b${c}, s${r}_${c});`)
          .join("")
      );
    })
    .join("\n");
  const columns = indices(threadColumns)
    .map((c) => `let b${c} = tile_b[k * ${strideB}u + local.x * ${threadColumns}u + ${c}u];`)
    .join("");

  const store = extra
    ? extra.code
    : byJob((job) => {
        const [bias, residual] = [roles.bias[job], roles.residual[job]];
        const added =
          (bias === undefined ? "" : ` + in${bias}[col]`) +
          (residual === undefined ? "" : ` + in${residual}[at]`);
        return `out${job}[p.offset_out + at] = value${added};`;
      });

  const code = `
${extra?.functions ?? ""}
var<workgroup> tile_a: array<f32, ${depth * strideA}>;
var<workgroup> tile_b: array<f32, ${depth * strideB}>;
${inner.map((_, term) => `${loader("a", term)}\n${loader("b", term)}`).join("\n")}
fn store(job: u32, row: u32, col: u32, width: u32, value: f32) {
  let at = row * width + col;
  ${store}
}
@compute @workgroup_size(${groupColumns}, ${groupRows})
fn main(
  @builtin(workgroup_id) g: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let job = g.z;
  var rows = p.rows0;
  var columns = p.columns0;
  ${jobs.length === 1 ? "" : byJob((job) => `rows = p.rows${job}; columns = p.columns${job};`)}
  let row0 = g.y * ${down}u;
  let col0 = g.x * ${across}u;
  if (row0 >= rows || col0 >= columns) { return; }
  ${indices(threadRows)
    .flatMap((r) => indices(threadColumns).map((c) => `var s${r}_${c} = 0.0;`))
    .join("")}
  ${inner
    .map(
      (_, term) => `{
    let inner${term} = p.inner${term};
    for (var k0 = 0u; k0 < inner${term}; k0 = k0 + ${depth}u) {
      ${fill("a", term)}
      ${fill("b", term)}
      workgroupBarrier();
      for (var k = 0u; k < ${depth}u; k = k + 1u) {
        ${columns}
        ${products}
      }
      workgroupBarrier();
    }
  }`,
    )
    .join("\n")}
  let row = row0 + local.y * ${threadRows}u;
  let col = col0 + local.x * ${threadColumns}u;
  ${indices(threadRows)
    .map(
      (r) => `if (row + ${r}u < rows) {
    ${indices(threadColumns)
      .map(
        (c) =>
          `if (col + ${c}u < columns) { store(job, row + ${r}u, col + ${c}u, columns, s${r}_${c}); }`,
      )
      .join("\n")}
  }`,
    )
    .join("\n")}
}`;
  return {
    params: [
      ...jobs.flatMap((_, job) => [`rows${job}: u32`, `columns${job}: u32`]),
      ...inner.map((_, term) => `inner${term}: u32`),
      ...["offset_a: u32", "offset_b: u32", "offset_out: u32"],
    ],
    reads: [...roles.arrays.map((_, i) => `in${i}: f32`), ...(extra?.reads ?? []).map(ofFloats)],
    writes: [
      ...jobs.flatMap(({ out }, job) => (out ? [`out${job}: f32`] : [])),
      ...(extra?.writes ?? []).map(ofFloats),
    ],
    code,
  };
}

const ofFloats = (name: string) => `${name}: f32`;
