import { fillTile } from "./fill.js";
import type { Reading } from "./reading.js";
import type { Roles } from "./roles.js";
import type { TileProducts } from "./tile-products.js";

/** WGSL: centre and scale of the rows of a tile. Several threads share a row. */
export function statisticsCode(
  { a, norm }: Roles,
  reading: Reading,
  { layout, scratch }: TileProducts,
): string {
  const { down, depth, threads, strideA } = layout;
  const sharing = threads / down;
  if (!Number.isInteger(sharing)) {
    throw new Error(`${threads} threads do not share ${down} rows.`);
  }
  const raw = fillTile(layout, reading, {
    ...{ operand: "a", isTransposed: false, array: a[0]?.[0] as number, term: "0_0" },
    ...{ into: scratch, component: "f32" },
  });
  const total = (term: string) => `
  total = 0.0;
  for (var k0 = 0u; k0 < p.inner0_0; k0 = k0 + ${depth}u) {
    ${raw}
    workgroupBarrier();
    for (var k = part; k < ${depth}u; k = k + ${sharing}u) {
      if (k0 + k < p.inner0_0) {
        let v = ${scratch}[k * ${strideA}u + mine];
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
  return `var<workgroup> centres: array<f32, ${down}>;
var<workgroup> scales: array<f32, ${down}>;
var<workgroup> parts: array<f32, ${threads}>;
fn take_statistics(lane: u32, row0: u32, rows: u32, keeps: bool) {
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
