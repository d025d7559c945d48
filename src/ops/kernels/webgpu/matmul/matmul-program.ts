import type * as tf from "@tensorflow/tfjs-core";
import type { MatmulCall, MatmulJob } from "./matmul-job.js";
import type { GpuProgram } from "../programs/program.js";

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

export const tilesNow = (): MatmulTiles => tiles;

/** Which array each operand is: equal tensors are one. */
export interface Roles {
  readonly arrays: tf.TensorInfo[];
  /** By job and term. */
  readonly a: number[][];
  readonly b: number[][];
  readonly bias: (number | undefined)[];
  readonly residual: (number | undefined)[];
  readonly norm: { readonly weight: number; readonly bias: number | undefined } | undefined;
  readonly second: { readonly b: number; readonly bias: number | undefined } | undefined;
}

const indices = (count: number) => Array.from({ length: count }, (_, i) => i);
const ofFloats = (name: string) => `${name}: f32`;

/** WGSL that depends on the job. */
function byJob(jobs: readonly MatmulJob[], of: (job: number) => string): string {
  if (jobs.length === 1) return of(0);
  const last = jobs.length - 1;
  const cases = jobs.map(
    (_, job) => `${job === last ? "default" : `case ${job}u`}: { ${of(job)} }`,
  );
  return `switch (job) { ${cases.join(" ")} }`;
}

/** Rows and columns of a tile, and its strides in workgroup memory. */
function tileSizes() {
  const { threadRows, threadColumns, groupRows, groupColumns, depth } = tiles;
  const [down, across] = [threadRows * groupRows, threadColumns * groupColumns];
  // One more, so that writes along the other axis fall into different banks.
  return { down, across, depth, threads: groupRows * groupColumns, a: down + 1, b: across + 1 };
}

/** A wider norm costs more in every tile of a row than in a call of its own. */
const widestNorm = 512;

/** Whether rows of this width are normed by the product that reads them. */
export function fusesNorm(width: number): boolean {
  const { threads, down } = tileSizes();
  return width <= widestNorm && threads % down === 0;
}

/** The shader of a call: tiles of a and b go through workgroup memory, sums are in registers. */
export function matmulProgram(call: MatmulCall, roles: Roles): Omit<GpuProgram, "name"> {
  const { jobs, norm, epilogue, second } = call;
  const extra = epilogue?.code;
  return {
    params: [
      ...jobs.flatMap(({ inner }, job) => [
        ...[`rows${job}: u32`, `columns${job}: u32`],
        ...inner.flatMap((_, term) =>
          ["inner", "stride_a", "stride_b"].map((name) => `${name}${job}_${term}: u32`),
        ),
        `stride_out${job}: u32`,
      ]),
      ...["offset_a: u32", "offset_b: u32", "offset_out: u32", "epsilon: f32"],
    ],
    reads: [...roles.arrays.map((_, i) => `in${i}: f32`), ...(extra?.reads ?? []).map(ofFloats)],
    writes: [
      ...jobs.flatMap(({ out }, job) => (out ? [`out${job}: f32`] : [])),
      ...(extra?.writes ?? []).map(ofFloats),
      ...(norm ? ["normed_x: f32", "row_scale: f32"] : []),
      ...(norm?.mean ? ["row_mean: f32"] : []),
    ],
    code: [
      extra?.functions ?? "",
      memory(call),
      fillCode(call, roles),
      norm ? statisticsCode(roles) : "",
      storeCode(call, roles),
      mainCode(call, second ? 2 : 1),
    ].join("\n"),
  };
}

function memory({ norm, second }: MatmulCall): string {
  const { down, depth, threads, a, b } = tileSizes();
  return `var<workgroup> tile_a: array<f32, ${depth * a}>;
var<workgroup> tile_b: array<f32, ${depth * b}>;
${second ? `var<workgroup> tile_second: array<f32, ${depth * b}>;` : ""}
${
  norm
    ? `var<workgroup> centres: array<f32, ${down}>;
var<workgroup> scales: array<f32, ${down}>;
var<workgroup> parts: array<f32, ${threads}>;`
    : ""
}`;
}

/** Fills a tile in workgroup memory; the faster index is the one along which memory is contiguous. */
function fillTile(
  name: "a" | "b",
  { transposeA, transposeB }: Pick<MatmulJob, "transposeA" | "transposeB">,
  term: string,
  entry: (at: string) => string,
  into = `tile_${name}`,
): string {
  const { down, across, depth, threads, a, b } = tileSizes();
  const [size, stride] = name === "a" ? [down, a] : [across, b];
  const innerFirst = name === "a" ? !transposeA : transposeB;
  const [i, k] = innerFirst ? [`e / ${depth}u`, `e % ${depth}u`] : [`e % ${size}u`, `e / ${size}u`];
  const [start, bound] = name === "a" ? ["row0", "rows"] : ["col0", "columns"];
  const [inner, pitch] = [`p.inner${term}`, `p.stride_${name}${term}`];
  const at = innerFirst ? `o * ${pitch} + k` : `k * ${pitch} + o`;
  return `for (var e = lane; e < ${size * depth}u; e = e + ${threads}u) {
      let o = ${start} + ${i};
      let k = k0 + ${k};
      var value = 0.0;
      if (o < ${bound} && k < ${inner}) { ${entry(`p.offset_${name} + ${at}`)} }
      ${into}[(${k}) * ${stride}u + (${i})] = value;
    }`;
}

/** WGSL: the tiles of the `step`-th piece of a job's inner axes, one term after the other. */
function fillCode({ jobs, norm, second }: MatmulCall, roles: Roles): string {
  const { depth } = tileSizes();
  const read = (role: number | undefined) => (at: string) => `value = in${role}[${at}];`;
  const ofTerm = (job: number, term: number) => {
    const given = jobs[job] as MatmulJob;
    const name = `${job}_${term}`;
    const inner = `p.inner${name}`;
    const [a, b] = [roles.a[job]?.[term], roles.b[job]?.[term]];
    const normed = (at: string) => `let i = o - row0;
        value = (in${a}[${at}] - centres[i]) * scales[i] * in${roles.norm?.weight}[k]${
          roles.norm?.bias === undefined ? "" : ` + in${roles.norm.bias}[k]`
        };
        if (keeps) { normed_x[o * ${inner} + k] = value; }`;
    return `{
    let steps = (${inner} + ${depth - 1}u) / ${depth}u;
    if (step < steps) {
      let k0 = step * ${depth}u;
      ${fillTile("a", given, name, norm ? normed : read(a))}
      ${fillTile("b", given, name, read(b))}
      ${second ? fillTile("b", given, name, read(roles.second?.b), "tile_second") : ""}
      return;
    }
    step = step - steps;
    }`;
  };
  return `fn fill(job: u32, whole_step: u32, lane: u32, row0: u32, col0: u32, rows: u32, columns: u32, keeps: bool) {
  var step = whole_step;
  ${byJob(jobs, (job) => (jobs[job] as MatmulJob).inner.map((_, term) => ofTerm(job, term)).join("\n"))}
}`;
}

/** WGSL: centre and scale of the rows of a tile. Several threads share a row. */
function statisticsCode({ a, norm }: Roles): string {
  const { down, depth, threads, a: stride } = tileSizes();
  const sharing = threads / down;
  if (!Number.isInteger(sharing)) {
    throw new Error(`${threads} threads do not share ${down} rows.`);
  }
  const raw = fillTile(
    "a",
    { transposeA: false, transposeB: false },
    "0_0",
    (at) => `value = in${a[0]?.[0]}[${at}];`,
  );
  const total = (term: string) => `
  total = 0.0;
  for (var k0 = 0u; k0 < p.inner0_0; k0 = k0 + ${depth}u) {
    ${raw}
    workgroupBarrier();
    for (var k = part; k < ${depth}u; k = k + ${sharing}u) {
      if (k0 + k < p.inner0_0) {
        let v = tile_a[k * ${stride}u + mine];
        total = total + ${term};
      }
    }
    workgroupBarrier();
  }
  parts[lane] = total;
  workgroupBarrier();
  total = 0.0;
  for (var i = 0u; i < ${sharing}u; i = i + 1u) { total = total + parts[mine * ${sharing}u + i]; }
  workgroupBarrier();`;
  const hasMean = norm?.bias !== undefined;
  return `fn take_statistics(lane: u32, row0: u32, rows: u32, keeps: bool) {
  let mine = lane / ${sharing}u;
  let part = lane % ${sharing}u;
  var total = 0.0;
  var centre = 0.0;
  ${hasMean ? `${total("v")} centre = total / f32(p.inner0_0);` : ""}
  ${total("(v - centre) * (v - centre)")}
  if (part == 0u) {
    let scale = inverseSqrt(total / f32(p.inner0_0) + p.epsilon);
    centres[mine] = centre;
    scales[mine] = scale;
    if (keeps && row0 + mine < rows) {
      row_scale[row0 + mine] = scale;
      ${hasMean ? "row_mean[row0 + mine] = centre;" : ""}
    }
  }
  workgroupBarrier();
}`;
}

/** WGSL: what becomes of an entry. */
function storeCode({ jobs, epilogue, second }: MatmulCall, roles: Roles): string {
  const plus = (role: number | undefined, at: string) =>
    role === undefined ? "" : ` + in${role}[${at}]`;
  const body = byJob(jobs, (job) => {
    const value = `given${plus(roles.bias[job], "col")}`;
    if (!epilogue) {
      return `out${job}[p.offset_out + at] = ${value}${plus(roles.residual[job], "at")};`;
    }
    return `let value = ${value};
  ${second ? `let second = given_second${plus(roles.second?.bias, "col")};` : ""}
  ${epilogue.code.code}`;
  });
  return `fn store(job: u32, row: u32, col: u32, given: f32${second ? ", given_second: f32" : ""}) {
  ${jobs.length === 1 ? "let pitch = p.stride_out0;" : `var pitch = 0u; ${byJob(jobs, (job) => `pitch = p.stride_out${job};`)}`}
  let at = row * pitch + col;
  ${body}
}`;
}

/** @param products of each entry: 1 or 2 */
function mainCode({ jobs, norm }: MatmulCall, products: 1 | 2): string {
  const { threadRows, threadColumns, groupRows, groupColumns } = tiles;
  const { down, across, depth, a: strideA, b: strideB } = tileSizes();
  const faces = products === 2 ? ["s", "t"] : ["s"];
  const tileOf = (face: string) => (face === "s" ? "tile_b" : "tile_second");
  const each = (code: (face: string, r: number, c: number) => string) =>
    faces
      .flatMap((face) =>
        indices(threadRows).map((r) =>
          indices(threadColumns)
            .map((c) => code(face, r, c))
            .join(""),
        ),
      )
      .join("\n");
  const loadsA = indices(threadRows)
    .map((r) => `let a${r} = tile_a[k * ${strideA}u + local.y * ${threadRows}u + ${r}u];`)
    .join("");
  const loadsB = faces
    .flatMap((face) =>
      indices(threadColumns).map(
        (c) =>
          `let b${face}${c} = ${tileOf(face)}[k * ${strideB}u + local.x * ${threadColumns}u + ${c}u];`,
      ),
    )
    .join("");
  const steps = (job: number) =>
    (jobs[job] as MatmulJob).inner
      .map((_, term) => `(p.inner${job}_${term} + ${depth - 1}u) / ${depth}u`)
      .join(" + ");
  return `@compute @workgroup_size(${groupColumns}, ${groupRows})
fn main(
  @builtin(workgroup_id) g: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let job = g.z;
  var rows = 0u;
  var columns = 0u;
  var steps = 0u;
  ${byJob(jobs, (job) => `rows = p.rows${job}; columns = p.columns${job}; steps = ${steps(job)};`)}
  let row0 = g.y * ${down}u;
  let col0 = g.x * ${across}u;
  if (row0 >= rows || col0 >= columns) { return; }
  let keeps = ${norm ? "g.x == 0u && job == 0u" : "false"};
  ${norm ? "take_statistics(lane, row0, rows, keeps);" : ""}
  ${each((face, r, c) => `var ${face}${r}_${c} = 0.0;`)}
  for (var step = 0u; step < steps; step = step + 1u) {
    fill(job, step, lane, row0, col0, rows, columns, keeps);
    workgroupBarrier();
    for (var k = 0u; k < ${depth}u; k = k + 1u) {
      ${loadsA}
      ${loadsB}
      ${each((face, r, c) => `${face}${r}_${c} = fma(a${r}, b${face}${c}, ${face}${r}_${c});`)}
    }
    workgroupBarrier();
  }
  let row = row0 + local.y * ${threadRows}u;
  let col = col0 + local.x * ${threadColumns}u;
  ${indices(threadRows)
    .map(
      (r) => `if (row + ${r}u < rows) {
    ${indices(threadColumns)
      .map(
        (c) =>
          `if (col + ${c}u < columns) { store(job, row + ${r}u, col + ${c}u, ${faces.map((face) => `${face}${r}_${c}`).join(", ")}); }`,
      )
      .join("\n")}
  }`,
    )
    .join("\n")}
}`;
}
