import { faces, type TileProducts } from "./tile-products.js";
import { tileSizes, tilesNow } from "./tiles.js";
import { indices } from "./wgsl.js";

/**
 * Each thread has `threadRows × threadColumns` sums in registers.
 *
 * @param count of products: 1 or 2
 */
export function registerProducts(count: 1 | 2): TileProducts {
  const { threadRows, threadColumns, groupRows, groupColumns } = tilesNow();
  const sizes = tileSizes();
  // One more, so that writes along the other axis fall into different banks.
  const [strideA, strideB] = [sizes.down + 1, sizes.across + 1];
  const products = faces.slice(0, count);
  const each = (code: (sum: string, r: number, c: number) => string) =>
    products
      .flatMap(({ sum }) =>
        indices(threadRows).map((r) =>
          indices(threadColumns)
            .map((c) => code(sum, r, c))
            .join(""),
        ),
      )
      .join("\n");
  const loadsA = indices(threadRows).map(
    (r) => `let a${r} = tile_a[k * ${strideA}u + local.y * ${threadRows}u + ${r}u];`,
  );
  const loadsB = products.flatMap(({ sum, tile }) =>
    indices(threadColumns).map(
      (c) => `let b${sum}${c} = ${tile}[k * ${strideB}u + local.x * ${threadColumns}u + ${c}u];`,
    ),
  );
  const sums = (r: number, c: number) => products.map(({ sum }) => `${sum}${r}_${c}`).join(", ");
  const storeRow = (r: number) => `if (row + ${r}u < rows) {
    ${indices(threadColumns)
      .map(
        (c) =>
          `if (col + ${c}u < columns) { store(job, row + ${r}u, col + ${c}u, ${sums(r, c)}); }`,
      )
      .join("\n")}
  }`;
  return {
    layout: { ...sizes, strideA, strideB, component: "f32" },
    ...{ memory: "", scratch: "tile_a", workgroupSize: `${groupColumns}, ${groupRows}` },
    builtins: "@builtin(local_invocation_id) local: vec3u",
    begin: each((sum, r, c) => `var ${sum}${r}_${c} = 0.0;`),
    multiply: `for (var k = 0u; k < ${sizes.depth}u; k = k + 1u) {
      ${loadsA.join("")}
      ${loadsB.join("")}
      ${each((sum, r, c) => `${sum}${r}_${c} = fma(a${r}, b${sum}${c}, ${sum}${r}_${c});`)}
    }`,
    end: `let row = row0 + local.y * ${threadRows}u;
  let col = col0 + local.x * ${threadColumns}u;
  ${indices(threadRows).map(storeRow).join("\n")}`,
  };
}
