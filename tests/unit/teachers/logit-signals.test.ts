import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { makeBatch } from "../../../src/data/index.js";
import { drawNumbers, signalsFromLogits } from "../../../src/teachers/logit-signals.js";
import { leastPositions } from "../../../src/teachers/mixture/same-vocabulary.js";
import { Random } from "../../../src/tensors/index.js";

test("draws are those of the temperature that was asked for", () => {
  using batch = makeBatch([{ ids: [0, 1], completionStart: 1 }], 0);
  const drawn = (sampleTemperature: number) =>
    tf.tidy(() => {
      const logits = tf.tensor3d([[[0, 1, 0, 0]]]);
      const options = { samples: 64, sampleTemperature };
      const context = { random: new Random(1), firstRow: 0 };
      const numbers = drawNumbers(batch, ["teacherTokenIds"], options, context);
      const signals = signalsFromLogits(logits, batch, ["teacherTokenIds"], options, numbers);
      return [...(signals.teacherTokenIds as tf.Tensor).dataSync()].filter((id) => id === 1).length;
    });
  expect(drawn(0.02)).toBe(64);
  // exp(1) / (exp(1) + 3) of them, and a quarter where the temperature is high.
  expect(drawn(1)).toBeGreaterThan(20);
  expect(drawn(1)).toBeLessThan(42);
  expect(drawn(1000)).toBeLessThan(28);
});

test("several teachers have the context of the shortest, if any has one", () => {
  expect(leastPositions([{}, { maxPositions: 20 }, { maxPositions: 12 }])).toEqual({
    maxPositions: 12,
  });
  expect(leastPositions([{}, {}])).toEqual({});
});
