import type { GpuProgram } from "../programs/program.js";
import { fillCode } from "./fill.js";
import type { MatmulCall, MatmulJob } from "./matmul-job.js";
import { statisticsCode } from "./norm-statistics.js";
import type { Reading } from "./reading.js";
import type { Roles } from "./roles.js";
import { storeCode } from "./store.js";
import type { TileProducts } from "./tile-products.js";
import { byJob, indices } from "./wgsl.js";

const ofFloats = (name: string) => `${name}: f32`;

/**
 * The shader of a call: tiles of a and b go through workgroup memory and are multiplied there.
 *
 * @param count of the arrays that are read, but for those of the epilogue
 */
export function matmulProgram(
  call: MatmulCall,
  roles: Roles,
  reading: Reading,
  products: TileProducts,
  count: number,
): Omit<GpuProgram, "name"> {
  const { jobs, norm, epilogue } = call;
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
    reads: [...indices(count).map(reading.declare), ...(extra?.reads ?? []).map(ofFloats)],
    writes: [
      ...jobs.flatMap(({ out }, job) => (out ? [`out${job}: f32`] : [])),
      ...(extra?.writes ?? []).map(ofFloats),
      ...(norm ? ["normed_x: f32", "row_scale: f32"] : []),
      ...(norm?.mean ? ["row_mean: f32"] : []),
    ],
    code: [
      extra?.functions ?? "",
      tilesCode(call, products),
      norm ? statisticsCode(roles, reading, products) : "",
      fillCode(call, roles, reading, products.layout),
      storeCode(call, roles, reading),
      mainCode(call, products),
    ].join("\n"),
  };
}

/** WGSL: workgroup memory. */
function tilesCode({ second }: MatmulCall, { layout, memory }: TileProducts): string {
  const { depth, strideA, strideB, component } = layout;
  const tile = (name: string, stride: number) =>
    `var<workgroup> ${name}: array<${component}, ${depth * stride}>;`;
  return [
    ...[tile("tile_a", strideA), tile("tile_b", strideB)],
    ...[second ? tile("tile_second", strideB) : "", memory],
  ].join("\n");
}

/** WGSL: a workgroup has a tile of the output of one job. */
function mainCode({ jobs, norm }: MatmulCall, products: TileProducts): string {
  const { down, across, depth } = products.layout;
  const steps = (job: number) =>
    (jobs[job] as MatmulJob).inner
      .map((_, term) => `(p.inner${job}_${term} + ${depth - 1}u) / ${depth}u`)
      .join(" + ");
  return `@compute @workgroup_size(${products.workgroupSize})
fn main(
  @builtin(workgroup_id) g: vec3u,
  @builtin(local_invocation_index) lane: u32,
  ${products.builtins},
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
  ${products.begin}
  for (var step = 0u; step < steps; step = step + 1u) {
    fill(job, step, lane, row0, col0, rows, columns, keeps);
    workgroupBarrier();
    ${products.multiply}
    workgroupBarrier();
  }
  ${products.end}
}`;
}
