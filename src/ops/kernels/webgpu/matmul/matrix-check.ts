import type * as tf from "@tensorflow/tfjs-core";
import { matmul } from "./matmul.js";
import type { Epilogue, MatmulCall } from "./matmul-job.js";
import { tileSizes } from "./tiles.js";
import type { GpuTensors } from "../programs/registry.js";

/** A product on the device, and what it must be. */
export interface CheckedProduct {
  readonly name: string;
  readonly found: tf.TensorInfo;
  readonly expected: Float32Array;
}

/** What comes after the product: `+ residual`, doubled, or doubled less a second product. */
const ends = ["a residual", "an epilogue", "a second product"] as const;

interface Kind {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly end: (typeof ends)[number];
}

/**
 * Products of small whole numbers, which are exact in f16 and whose sums are in f32, so that they are right or wrong: each way that operands
 * may lie, lengths that are multiples of 4 and that are not, somewhat more than a tile along every axis.
 */
export function checkedProducts(gpu: GpuTensors): CheckedProduct[] {
  const { down, across, depth } = tileSizes();
  const kinds = [false, true].flatMap((transposeA) =>
    [false, true].flatMap((transposeB) =>
      ends.map((end): Kind => {
        const more = end === "an epilogue" ? 5 : 4;
        const sizes = { rows: down + more, columns: across + more, inner: 2 * depth + more };
        return { ...sizes, transposeA, transposeB, end };
      }),
    ),
  );
  return kinds.map((kind) => {
    const { rows, columns, inner, transposeA, transposeB, end } = kind;
    const name = `${transposeA ? "aᵀ" : "a"} · ${transposeB ? "bᵀ" : "b"} of ${rows}x${columns}x${inner} with ${end}`;
    const given = operandsOf(kind);
    return { name, found: onDevice(gpu, kind, given), expected: inNumbers(kind, given) };
  });
}

type Operands = Readonly<Record<"a" | "b" | "bias" | "second" | "residual", Float32Array>>;

function operandsOf({ rows, columns, inner }: Kind): Operands {
  const whole = (length: number, factor: number) =>
    Float32Array.from({ length }, (_, i) => ((i * factor) % 17) - 8);
  return {
    ...{ a: whole(rows * inner, 7), b: whole(inner * columns, 5), bias: whole(columns, 3) },
    ...{ second: whole(inner * columns, 11), residual: whole(rows * columns, 13) },
  };
}

function inNumbers(kind: Kind, { a, b, bias, second, residual }: Operands): Float32Array {
  const { rows, columns, inner, transposeA, transposeB, end } = kind;
  const product = (matrix: Float32Array, row: number, col: number) => {
    let total = bias[col] as number;
    for (let k = 0; k < inner; k++) {
      const ofA = a[transposeA ? k * rows + row : row * inner + k] as number;
      total += ofA * (matrix[transposeB ? col * inner + k : k * columns + col] as number);
    }
    return total;
  };
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    const [row, col] = [Math.floor(at / columns), at % columns];
    const value = product(b, row, col);
    if (end === "a residual") return value + (residual[at] as number);
    return 2 * value - (end === "a second product" ? product(second, row, col) : 0);
  });
}

function onDevice(gpu: GpuTensors, kind: Kind, operands: Operands): tf.TensorInfo {
  const { rows, columns, inner, transposeA, transposeB, end } = kind;
  const tensor = (name: keyof Operands) =>
    gpu.makeTensorInfo([operands[name].length], "float32", operands[name]);
  const [a, b, bias] = [tensor("a"), tensor("b"), tensor("bias")];
  const [second, residual] = [tensor("second"), tensor("residual")];
  const out = gpu.newTensor([rows, columns]);
  const job = {
    ...{ a: [a], b: [b], bias, rows, columns, inner: [inner], transposeA, transposeB },
  };
  const hasSecond = end === "a second product";
  const code: Epilogue = {
    ...{ name: `check with ${end}`, reads: [], writes: ["checked"] },
    code: `checked[at] = 2.0 * value${hasSecond ? " - second" : ""};`,
  };
  const ending: MatmulCall =
    end === "a residual"
      ? { jobs: [{ ...job, residual, out }] }
      : { jobs: [job], epilogue: { code, tensors: [out] } };
  matmul(gpu, { ...ending, second: hasSecond ? { b: second, bias } : undefined });
  for (const { dataId } of [a, b, bias, second, residual]) gpu.disposeData(dataId);
  return out;
}
