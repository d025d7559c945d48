import * as tf from "@tensorflow/tfjs-core";
import { halfCheck, linear } from "../../ops/index.js";
import { readValues } from "../../tensors/index.js";
import type { HalfBackend } from "./half-backend.js";

/**
 * Whether frozen weights are held as binary16 from now on; `backend` is the current one.
 *
 * @throws Error if they are to be, and a number came back otherwise than rounded, or a product with them was wrong
 */
export async function takeHalves(backend: HalfBackend, wanted: boolean): Promise<void> {
  backend.holdsHalves = false;
  if (!wanted) return;
  const problem = (await roundingProblem(backend)) ?? (await productProblem(backend));
  if (problem !== undefined) {
    throw new Error(
      `the GPU cannot hold weights in 16 bits, which PUPIL_WEBGPU_HALF_TEACHERS=1 (halfTeachers: true) asks for: ${problem}`,
    );
  }
  backend.holdsHalves = true;
}

async function roundingProblem(backend: HalfBackend): Promise<string | undefined> {
  const { given, expected } = halfCheck();
  const tensor = tf.tensor1d(given);
  await backend.holdAsHalves([tensor]);
  return halfProblem(given, expected, await readValues(tensor, "float32"));
}

/** Below it a device may take any number for 0, if it does so with all. */
const smallestNormal = 2 ** -14;

/** What came back otherwise than rounded, in words. */
export function halfProblem(
  given: Float32Array,
  expected: Float32Array,
  found: ArrayLike<number>,
): string | undefined {
  const isSmall = (value: number) => value !== 0 && Math.abs(value) < smallestNormal;
  const flushes = expected.every((value, i) => !isSmall(value) || found[i] === 0);
  const wrong = expected.findIndex(
    (value, i) => found[i] !== (flushes && isSmall(value) ? 0 : value),
  );
  if (wrong < 0) return undefined;
  return `${given[wrong]} came back as ${found[wrong]}, and not as ${expected[wrong]}`;
}

/** A layer of whole numbers, of which every sum is exact, larger than a tile of the product in every direction. */
async function productProblem(backend: HalfBackend): Promise<string | undefined> {
  const [rows, inner, columns] = [3, 133, 67];
  const xs = Float32Array.from({ length: rows * inner }, (_, i) => (i % 7) - 3);
  const ws = Float32Array.from({ length: columns * inner }, (_, i) => ((i * 31) % 2049) - 1024);
  const x = tf.tensor2d(xs, [rows, inner]);
  const weight = tf.tensor2d(ws, [columns, inner]);
  await backend.holdAsHalves([weight]);
  const product = linear(x, weight);
  tf.dispose([x, weight]);
  const found = await readValues(product, "float32");
  const isRight = found.every((value, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      sum += (xs[row * inner + k] as number) * (ws[column * inner + k] as number);
    }
    return value === sum;
  });
  return isRight ? undefined : "a matrix product with them came out wrong";
}
