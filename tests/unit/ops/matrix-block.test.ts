import { afterEach, expect, test } from "vitest";
import { matrixBlock, setMatmulTiles } from "../../../src/ops/index.js";

afterEach(() => setMatmulTiles());

const f16 = (M: number, N: number, K: number, lanes: number) => ({
  ...({ component: "f16", M, N, K, lanes } as const),
});

test.each([
  ["lavapipe", f16(8, 8, 8, 8), {}, { rows: 1, columns: 2, count: 8 }],
  ["NVIDIA", f16(16, 16, 16, 32), {}, { rows: 1, columns: 2, count: 2 }],
  [
    "NVIDIA, larger tiles",
    f16(16, 16, 16, 32),
    { threadRows: 8, threadColumns: 8 },
    { rows: 2, columns: 4, count: 2 },
  ],
  ["Intel", f16(8, 16, 16, 32), {}, { rows: 2, columns: 2, count: 2 }],
  ["a subgroup that has all threads", f16(8, 8, 8, 64), {}, { rows: 4, columns: 4, count: 1 }],
  ["fewer matrices than subgroups", f16(16, 16, 16, 8), {}, { rows: 1, columns: 1, count: 4 }],
])("matrices of a tile are shared by subgroups: %s", (_, shape, tiles, expected) => {
  setMatmulTiles(tiles);
  const { rows, columns, count } = matrixBlock(shape);
  expect([Math.min(rows, columns), Math.max(rows, columns), count]).toEqual([
    ...[Math.min(expected.rows, expected.columns), Math.max(expected.rows, expected.columns)],
    expected.count,
  ]);
});
