import { matrixBlock, type MatrixShape } from "./matrix-shape.js";
import { faces, type TileProducts } from "./tile-products.js";
import { tileSizes } from "./tiles.js";
import { indices } from "./wgsl.js";

/** Lines of tiles begin at multiples of 16 bytes, which devices ask for, and not all in the same bank. */
const gap = { f16: 8, f32: 4 } as const;

/**
 * Each subgroup has a block of sums as subgroup matrices. They go through workgroup memory to `store`, since which lane has
 * which entry is not said.
 *
 * @param count of products: 1 or 2
 * @throws Error if the tiles do not hold whole matrices
 */
export function matrixProducts(shape: MatrixShape, count: 1 | 2): TileProducts {
  const { component, M, N, K } = shape;
  const { down, across, depth, threads } = tileSizes();
  const block = matrixBlock(shape);
  const [strideA, strideB] = [down + gap[component], across + gap[component]];
  const strideOut = across + gap.f32;
  const products = faces.slice(0, count);
  const type = (kind: string, of: string, columns: number, rows: number) =>
    `subgroup_matrix_${kind}<${of}, ${columns}, ${rows}>`;
  const [left, right] = [type("left", component, K, M), type("right", component, N, K)];
  const result = type("result", "f32", N, M);
  const [rows, columns] = [indices(block.rows), indices(block.columns)];
  const each = (code: (sum: string, r: number, c: number) => string) =>
    products
      .flatMap(({ sum }) => rows.flatMap((r) => columns.map((c) => code(sum, r, c))))
      .join("\n      ");
  const rowOf = (r: number) => `first_row + ${r * M}u`;
  const columnOf = (c: number) => `first_column + ${c * N}u`;
  // Tiles of a lie line by line of the inner axis, so a matrix of a by columns.
  const loadsA = rows.map(
    (r) =>
      `let a${r} = subgroupMatrixLoad<${left}, col_major>(&tile_a, k * ${strideA}u + ${rowOf(r)}, ${strideA}u);`,
  );
  const loadsB = products.flatMap(({ sum, tile }) =>
    columns.map(
      (c) =>
        `let b${sum}${c} = subgroupMatrixLoad<${right}, row_major>(&${tile}, k * ${strideB}u + ${columnOf(c)}, ${strideB}u);`,
    ),
  );
  const perLine = across / (N * block.columns);
  const outputs = products.map(({ sum }) => `sums_${sum}`);
  const words = Math.max(down * strideOut, depth * strideA);
  return {
    layout: { ...{ down, across, depth, threads, component }, strideA, strideB },
    memory: outputs.map((name) => `var<workgroup> ${name}: array<f32, ${words}>;`).join("\n"),
    ...{ scratch: "sums_s", workgroupSize: `${threads}` },
    builtins: "@builtin(subgroup_size) subgroup_lanes: u32",
    begin: `let block = lane / subgroup_lanes;
  // Smaller subgroups than the largest are more than there are blocks for.
  let has_block = block < ${block.count}u;
  let first_row = block / ${perLine}u * ${M * block.rows}u;
  let first_column = block % ${perLine}u * ${N * block.columns}u;
  ${each((sum, r, c) => `var ${sum}${r}_${c}: ${result};`)}`,
    multiply: `if (has_block) {
      for (var k = 0u; k < ${depth}u; k = k + ${K}u) {
      ${[...loadsA, ...loadsB].join("\n      ")}
      ${each((sum, r, c) => `${sum}${r}_${c} = subgroupMatrixMultiplyAccumulate(a${r}, b${sum}${c}, ${sum}${r}_${c});`)}
      }
    }`,
    end: `if (has_block) {
      ${each((sum, r, c) => `subgroupMatrixStore<row_major>(&sums_${sum}, (${rowOf(r)}) * ${strideOut}u + ${columnOf(c)}, ${sum}${r}_${c}, ${strideOut}u);`)}
  }
  workgroupBarrier();
  for (var e = lane; e < ${down * across}u; e = e + ${threads}u) {
    let row = row0 + e / ${across}u;
    let col = col0 + e % ${across}u;
    let at = e / ${across}u * ${strideOut}u + e % ${across}u;
    if (row < rows && col < columns) { store(job, row, col, ${outputs.map((name) => `${name}[at]`).join(", ")}); }
  }`,
  };
}
