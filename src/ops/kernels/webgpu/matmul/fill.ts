import type { MatmulCall, MatmulJob } from "./matmul-job.js";
import type { Reading } from "./reading.js";
import type { Roles } from "./roles.js";
import type { TileLayout } from "./tile-products.js";
import { byJob, indices } from "./wgsl.js";

/** What of an operand goes into a tile in workgroup memory. */
interface Filling {
  readonly operand: "a" | "b";
  readonly isTransposed: boolean;
  /** The array that it is read from. */
  readonly array: number;
  /** Of the sizes among the parameters: job and term. */
  readonly term: string;
  /** The tile, and the type of its entries. */
  readonly into: string;
  readonly component: TileLayout["component"];
  /** WGSL: makes something else of `value`, one or four numbers along the inner axis from `k` on, of line `o`. */
  readonly change?: string;
}

/** Fills a tile in workgroup memory; the faster index is the one along which memory is contiguous. */
export function fillTile(layout: TileLayout, reading: Reading, filling: Filling): string {
  const { down, across, depth, threads, strideA, strideB } = layout;
  const { operand, isTransposed, array, term, into, component, change = "" } = filling;
  const isA = operand === "a";
  const [size, stride] = isA ? [down, strideA] : [across, strideB];
  const [start, bound] = isA ? ["row0", "rows"] : ["col0", "columns"];
  const [inner, pitch] = [`p.inner${term}`, `p.stride_${operand}${term}`];
  const innerFirst = isA ? !isTransposed : isTransposed;
  const width = reading.isByFours(array) ? 4 : 1;
  const perLine = (innerFirst ? depth : size) / width;
  const [slow, fast] = [`e / ${perLine}u`, `e % ${perLine}u${width === 4 ? " * 4u" : ""}`];
  const [i, k] = innerFirst ? [slow, fast] : [fast, slow];
  const word = `p.offset_${operand} + ${innerFirst ? `o * ${pitch} + k` : `k * ${pitch} + o`}`;
  const put = (part: number) => {
    const [atI, atK] = innerFirst ? [i, `${k} + ${part}u`] : [`${i} + ${part}u`, k];
    const value = width === 4 ? `value[${part}]` : "value";
    const entry = component === "f16" ? `f16(${value})` : value;
    return `${into}[(${atK}) * ${stride}u + (${atI})] = ${entry};`;
  };
  return `for (var e = lane; e < ${(size * depth) / width}u; e = e + ${threads}u) {
      let o = ${start} + ${i};
      let k = k0 + ${k};
      var value = ${width === 4 ? "vec4f()" : "0.0"};
      if (o < ${bound} && k < ${inner}) {
        value = ${width === 4 ? reading.four(array, word) : reading.one(array, word)};
        ${change}
      }
      ${indices(width).map(put).join("\n      ")}
    }`;
}

/** WGSL that norms what is read of a row, and keeps it. */
function normCode(roles: Roles, reading: Reading): string {
  const { norm } = roles;
  if (!norm) return "";
  const isByFours = reading.isByFours(roles.a[0]?.[0] as number);
  const at = (array: number) => (isByFours ? reading.four(array, "k") : reading.one(array, "k"));
  const keep = (part: number) =>
    `normed_x[o * p.inner0_0 + k + ${part}u] = value${isByFours ? `[${part}]` : ""};`;
  return `let i = o - row0;
        value = (value - centres[i]) * scales[i] * ${at(norm.weight)}${norm.bias === undefined ? "" : ` + ${at(norm.bias)}`};
        if (keeps) { ${indices(isByFours ? 4 : 1)
          .map(keep)
          .join(" ")} }`;
}

/** WGSL: the tiles of the `step`-th piece of a job's inner axes, one term after the other. */
export function fillCode(
  { jobs, second }: MatmulCall,
  roles: Roles,
  reading: Reading,
  layout: TileLayout,
): string {
  const { depth, component } = layout;
  const ofTerm = (job: number, term: number) => {
    const { transposeA, transposeB } = jobs[job] as MatmulJob;
    const common = { term: `${job}_${term}`, component };
    const a = {
      ...common,
      operand: "a",
      isTransposed: transposeA,
      change: normCode(roles, reading),
    } as const;
    const b = { ...common, operand: "b", isTransposed: transposeB } as const;
    const fill = (filling: Filling) => fillTile(layout, reading, filling);
    return `{
    let steps = (p.inner${job}_${term} + ${depth - 1}u) / ${depth}u;
    if (step < steps) {
      let k0 = step * ${depth}u;
      ${fill({ ...a, array: roles.a[job]?.[term] as number, into: "tile_a" })}
      ${fill({ ...b, array: roles.b[job]?.[term] as number, into: "tile_b" })}
      ${second && roles.second ? fill({ ...b, array: roles.second.b, into: "tile_second" }) : ""}
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
