import { expect, test } from "vitest";
import { type OnnxDecoder, withRows } from "../../../../src/teachers/index.js";

/** Two positions of three rows of logits. */
const logits = Float32Array.of(1, 2, 3, -4, 5, -6);
const rows = { batch: 1, length: 2, ids: [0, 1], mask: [1, 1], positions: [0, 1] };

function fake(): OnnxDecoder {
  const values = { values: logits, length: 2 };
  return {
    ...{ vocabSize: 3, hasCache: true },
    logits: () => Promise.resolve(values),
    step: () =>
      Promise.resolve({ ...values, past: { cache: { type: "float32", dims: [0], data: [] } } }),
    dispose: () => undefined,
  } as unknown as OnnxDecoder;
}

test.each([
  [2, [1, 2, -4, 5]],
  [3, [1, 2, 3, -4, 5, -6]],
  // Rows that the model lacks lie 20 below the least of their position.
  [5, [1, 2, 3, -19, -19, -4, 5, -6, -26, -26]],
])("a decoder of 3 rows used with %i", async (vocabSize, wanted) => {
  const decoder = withRows(fake(), vocabSize);
  expect(decoder).toMatchObject({ vocabSize, hasCache: true });
  const found = await decoder.logits(rows as never);
  expect(found).toEqual({ values: Float32Array.from(wanted), length: 2 });
  const step = await decoder.step(rows as never);
  expect(step).toMatchObject({ values: Float32Array.from(wanted), length: 2 });
  expect(Object.keys(step.past)).toEqual(["cache"]);
  // What the session gave is its own.
  expect([...logits]).toEqual([1, 2, 3, -4, 5, -6]);
});
