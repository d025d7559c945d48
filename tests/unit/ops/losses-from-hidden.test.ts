import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HiddenLossTerm, lossesFromHidden } from "../../../src/ops/index.js";
import { rowsPerChunk } from "../../../src/ops/row-losses/losses-from-hidden.js";
import { createVariable } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { useWasmEngine } from "../../setup/backends/wasm-engine.js";

const head = () => tf.tensor2d([1, 0, 0, 1, -1, 2], [3, 2]);
const labels = () => tf.tensor2d([[0, 2, 1, 1]], [1, 4], "int32");

/** Two rows that count and two that hold NaN, as data that no loss may look at. */
const withNaN = () => tf.tensor3d([1, 2, NaN, NaN, 0.5, -1, NaN, 1], [1, 4, 2]);
const terms = (): HiddenLossTerm[] => [
  { loss: { kind: "crossEntropy" }, rowWeights: tf.tensor2d([[1, 0, 0, 0]]), factor: 2 },
  { loss: { kind: "reverseKl" }, rowWeights: tf.tensor2d([[0, 0, 3, 0]]) },
];

describe.each([
  ["cpu", useCpu],
  ["the engine", () => useWasmEngine()],
])("on %s", (_, start) => {
  beforeAll(async () => {
    await start();
  });
  afterAll(useCpu);

  test("rows of weight 0 contribute exactly nothing, even where they are NaN", async () => {
    const [total, ofHidden, ofHead] = tf.tidy(() => {
      const teacher = { hidden: withNaN(), head: head().mul(2) as tf.Tensor2D };
      const { value, grads } = tf.valueAndGrads(
        (hidden, w) =>
          lossesFromHidden(
            {
              student: { hidden: hidden as tf.Tensor3D, head: w as tf.Tensor2D },
              teacher,
              labels: labels(),
            },
            terms(),
          ).total,
      )([withNaN(), head()]);
      return [value, ...grads] as tf.Tensor[];
    });
    const read = async (t: tf.Tensor | undefined) => Array.from((await t?.data()) ?? []);
    expect((await read(total))[0]).toBeGreaterThan(0);
    const rows = await read(ofHidden);
    expect(rows.every(Number.isFinite)).toBe(true);
    expect(rows.map((v) => v !== 0)).toEqual([true, true, false, false, true, true, false, false]);
    expect((await read(ofHead)).every(Number.isFinite)).toBe(true);
    tf.dispose([total, ofHidden, ofHead] as tf.Tensor[]);
  });

  test("gives the sum of every term before its factor", async () => {
    const { total, sums } = tf.tidy(() => {
      const hidden = tf.tensor3d([0, 0, 0, 0], [1, 2, 2]);
      const student = { hidden, head: head() };
      const ids = tf.tensor2d([[1, 2]], [1, 2], "int32");
      return lossesFromHidden({ student, labels: ids }, [
        { loss: { kind: "crossEntropy" }, rowWeights: tf.tensor2d([[1, 1]]), factor: 10 },
        { loss: { kind: "crossEntropy", scale: 2 }, rowWeights: tf.tensor2d([[0, 1]]), factor: 0 },
      ]);
    });
    const values = await sums.data();
    expect(values[0]).toBeCloseTo(2 * Math.log(3), 5);
    expect(values[1]).toBeCloseTo(2 * Math.log(3), 5);
    expect((await total.data())[0]).toBeCloseTo(20 * Math.log(3), 5);
    tf.dispose([total, sums]);
  });

  test("a head that is not trainable gets no gradient, the hidden states do", async () => {
    const frozen = createVariable(head(), false);
    const gradient = tf.tidy(() =>
      tf.grad(
        (hidden) =>
          lossesFromHidden(
            {
              student: { hidden: hidden as tf.Tensor3D, head: frozen as unknown as tf.Tensor2D },
              labels: labels(),
            },
            [{ loss: { kind: "crossEntropy" }, rowWeights: tf.ones([1, 4]) }],
          ).total,
      )(tf.ones([1, 4, 2])),
    );
    // All logits of a row are 1, so softmax is 1/3 each: Σ (1/3 − onehot) · head, for label 0.
    const expected = [1 / 3 - 1 / 3 - 1, 1 / 3 + 2 / 3];
    const values = await gradient.data();
    expect(values[0]).toBeCloseTo(expected[0] as number, 5);
    expect(values[1]).toBeCloseTo(expected[1] as number, 5);
    tf.dispose([gradient, frozen]);
  });

  test("a gradient that is scaled later is the scaled gradient", async () => {
    const gradientOf = (factor: number) =>
      tf.tidy(() =>
        tf.grad(
          (w) =>
            lossesFromHidden(
              {
                student: { hidden: tf.ones([1, 4, 2]), head: w as tf.Tensor2D },
                labels: labels(),
              },
              [{ loss: { kind: "crossEntropy" }, rowWeights: tf.ones([1, 4]) }],
            ).total.mul(factor) as tf.Scalar,
        )(head()),
      );
    const [one, three] = [gradientOf(1), gradientOf(-3)];
    const values = await three.data();
    for (const [i, value] of (await one.data()).entries()) {
      expect(values[i]).toBeCloseTo(-3 * value, 5);
    }
    tf.dispose([one, three]);
  });

  test("takes factors as numbers, as tensors and as some of both", async () => {
    const student = { hidden: tf.tensor3d([1, 2, 0.5, -1], [1, 2, 2]), head: head() };
    const ids = tf.tensor2d([[1, 2]], [1, 2], "int32");
    const crossEntropy = { kind: "crossEntropy" } as const;
    const rowWeights = [tf.tensor2d([[1, 1]]), tf.tensor2d([[0, 3]])] as const;
    const [half, two] = [tf.scalar(0.5), tf.scalar(2)];
    const numbersOf = async (factors: readonly (number | tf.Scalar)[]) => {
      const before = tf.memory().numTensors;
      const terms = factors.map((factor, i): HiddenLossTerm => {
        return { loss: crossEntropy, rowWeights: rowWeights[i] as tf.Tensor2D, factor };
      });
      const { total, sums } = lossesFromHidden({ student, labels: ids }, terms);
      const numbers = [...(await total.data()), ...(await sums.data())];
      tf.dispose([total, sums]);
      expect(tf.memory().numTensors).toBe(before);
      return numbers;
    };
    const expected = await numbersOf([0.5, 2]);
    expect(await numbersOf([half, two])).toEqual(expected);
    expect(await numbersOf([half, 2])).toEqual(expected);
    tf.dispose([student.hidden, student.head, ids, ...rowWeights, half, two]);
  });

  test("says what is missing", () => {
    const student = { hidden: tf.ones([1, 4, 2]) as tf.Tensor3D, head: head() };
    const rowWeights = tf.ones([1, 4]) as tf.Tensor2D;
    const evaluate = (kind: "crossEntropy" | "forwardKl") =>
      lossesFromHidden({ student }, [{ loss: { kind }, rowWeights }]);
    expect(() => evaluate("crossEntropy")).toThrow("Missing tensor labels [B T]");
    expect(() => evaluate("forwardKl")).toThrow("Missing tensor teacherHidden [B T E]");
    expect(() => lossesFromHidden({ student }, [])).toThrow("at least one term");
    tf.dispose([student.hidden, student.head, rowWeights]);
  });
});

test("chunks hold what fits, are of nearly one size, and have at least one row", () => {
  const bytesPerRow = 2 * 4 * 1000;
  expect(rowsPerChunk(100, 1000, 2, 40 * bytesPerRow)).toBe(34);
  expect(rowsPerChunk(100, 1000, 2, 1000 * bytesPerRow)).toBe(100);
  expect(rowsPerChunk(100, 1000, 2, 1)).toBe(1);
  expect(rowsPerChunk(0, 1000, 2, 1)).toBe(1);
});
