/** The engine's matrix product against float64, around the sizes where its blocking changes. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Random } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { engineVariants, useWasmEngine } from "../../setup/backends/wasm-engine.js";
import { expectClose } from "../ops/closeness.js";

type Sizes = readonly [m: number, n: number, k: number];

// WebAssembly: tiles of 6×8, panels of 128 columns, rows of B 256 and 1024, row blocks 48 to 192. C: tiles of
// 12×32 or less, blocks of 512 terms, or 1024 where A lies as it is read, 98304 numbers copied of A at a time,
// 131072 or 262144 of B.
const sizes: Sizes[] = [
  ...([
    [1, 1, 1],
    [6, 8, 4],
    [5, 7, 3],
    [7, 9, 5],
    [1, 130, 17],
    [13, 1, 257],
  ] as const),
  ...([
    [50, 129, 33],
    [97, 8, 256],
    [12, 24, 1025],
    [4, 8, 9],
    [16, 17, 6],
    [11, 24, 259],
    [200, 70, 1030],
    [13, 400, 513],
    [50, 380, 700],
    [0, 3, 2],
    [3, 0, 2],
    [3, 4, 0],
  ] as const),
];

function values(length: number, name: string): Float32Array {
  const random = new Random(3).stream(name, length);
  return Float32Array.from({ length }, () => random.normal());
}

/** op(a)·op(b) of one matrix pair, in float64. */
function product(
  a: Float32Array,
  b: Float32Array,
  [m, n, k]: Sizes,
  transposeA: boolean,
  transposeB: boolean,
): Float64Array {
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let t = 0; t < k; t++) {
        const left = a[transposeA ? t * m + i : i * k + t] as number;
        sum += left * (b[transposeB ? j * k + t : t * n + j] as number);
      }
      out[i * n + j] = sum;
    }
  }
  return out;
}

const flags = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

describe.each(engineVariants)("matMul, $name", ({ options }) => {
  beforeAll(async () => {
    await useWasmEngine(options);
  });
  afterAll(useCpu);

  test.each(sizes)("[%i, %i] over %i, all four ways round", async (m, n, k) => {
    const a = values(m * k, "a");
    const b = values(k * n, "b");
    for (const [transposeA, transposeB] of flags) {
      const result = tf.tidy(() =>
        tf.matMul(
          tf.tensor2d(a, transposeA ? [k, m] : [m, k]),
          tf.tensor2d(b, transposeB ? [n, k] : [k, n]),
          transposeA,
          transposeB,
        ),
      );
      expect(result.shape).toEqual([m, n]);
      const expected = product(a, b, [m, n, k], transposeA, transposeB);
      const bounds = { absolute: 3e-6 * Math.sqrt(k + 1), relative: 1e-5 };
      expectClose(await result.data(), expected, bounds, `${transposeA}, ${transposeB}`);
      result.dispose();
    }
  });

  test("so many terms that B is packed in many rounds", async () => {
    // Whole numbers: float32 adds them up exactly.
    const [m, n, k] = [25, 8, 140_000] as const;
    const left = (i: number, t: number) => (((i + 2) * t) % 3) - 1;
    const right = (t: number, j: number) => ((t + j * j) % 5) - 2;
    const expected = Array.from({ length: m * n }, (_, at) => {
      let sum = 0;
      for (let t = 0; t < k; t++) sum += left(Math.floor(at / n), t) * right(t, at % n);
      return sum;
    });
    const a = Float32Array.from({ length: m * k }, (_, at) => left(Math.floor(at / k), at % k));
    const b = Float32Array.from({ length: k * n }, (_, at) => right(Math.floor(at / n), at % n));
    for (const transposeA of [false, true]) {
      const result = tf.tidy(() => {
        const rows = tf.tensor2d(a, [m, k]);
        return tf.matMul(transposeA ? rows.transpose() : rows, tf.tensor2d(b, [k, n]), transposeA);
      });
      expect([...(await result.data())]).toEqual(expected);
      result.dispose();
    }
  });

  test.each([
    [3, 3],
    [3, 1],
    [1, 3],
  ])("batches of %i and %i", async (batchA, batchB) => {
    const [m, n, k] = [7, 10, 5] as const;
    const a = values(batchA * m * k, "a");
    const b = values(batchB * k * n, "b");
    for (const [transposeA, transposeB] of flags) {
      const result = tf.tidy(() =>
        tf.matMul(
          tf.tensor3d(a, transposeA ? [batchA, k, m] : [batchA, m, k]),
          tf.tensor3d(b, transposeB ? [batchB, n, k] : [batchB, k, n]),
          transposeA,
          transposeB,
        ),
      );
      const read = await result.data();
      for (let i = 0; i < 3; i++) {
        const left = a.subarray((i % batchA) * m * k, ((i % batchA) + 1) * m * k);
        const right = b.subarray((i % batchB) * k * n, ((i % batchB) + 1) * k * n);
        const expected = product(left, right, [m, n, k], transposeA, transposeB);
        const bounds = { absolute: 1e-5, relative: 1e-5 };
        expectClose(read.subarray(i * m * n, (i + 1) * m * n), expected, bounds, `matrix ${i}`);
      }
      result.dispose();
    }
  });
});
