import * as tf from "@tensorflow/tfjs";
import { describe, expect, test } from "vitest";
import type { Decoder } from "../../../../src/models/index.js";
import { crossEntropyFromLogits } from "../../../../src/ops/index.js";
import { disposeAll, Random, variableGradients } from "../../../../src/tensors/index.js";
import { tinyConfigs, tinyDecoder } from "../tiny-models.js";

/** Mean cross-entropy of the next token on a fixed batch with padding on both sides. */
function loss(decoder: Decoder): tf.Scalar {
  return tf.tidy(() => {
    const inputIds = tf.tensor2d([3, 1, 4, 1, 5, 0, 0, 0, 2, 6], [2, 5], "int32");
    const attentionMask = tf.tensor2d([1, 1, 1, 1, 0, 0, 0, 1, 1, 1], [2, 5]);
    const labels = tf.tensor2d([1, 4, 1, 5, 0, 0, 0, 2, 6, 5], [2, 5], "int32");
    const logits = decoder.forward({ inputIds, attentionMask });
    return crossEntropyFromLogits(logits, labels).mul(attentionMask).sum().div(7) as tf.Scalar;
  });
}

describe.each(Object.entries(tinyConfigs))("%s", (_name, config) => {
  test("the gradient of every parameter is the slope of the loss along a random direction", () => {
    using decoder = tinyDecoder({ ...config, numLayers: 1 });
    const variables = [...decoder.parameters.values()];
    const before = tf.memory().numTensors;
    const { value, gradients } = variableGradients(() => loss(decoder), variables);
    expect(tf.memory().numTensors).toBe(before + 1 + variables.length);

    const step = 2e-3;
    for (const [i, [name, variable]] of [...decoder.parameters].entries()) {
      const random = new Random(5).stream(name);
      const direction = Float32Array.from({ length: variable.size }, () => random.normal());
      const original = variable.dataSync().slice();
      const lossAt = (offset: number) =>
        tf.tidy(() => {
          const moved = original.map((x, j) => x + offset * direction[j]!);
          variable.assign(tf.tensor(moved, variable.shape));
          return loss(decoder).dataSync()[0]!;
        });
      const slope = (lossAt(step) - lossAt(-step)) / (2 * step);
      tf.tidy(() => variable.assign(tf.tensor(original, variable.shape)));
      const gradient = gradients[i]!.dataSync<"float32">();
      const expected = gradient.reduce((sum, g, j) => sum + g * direction[j]!, 0);
      expect(
        gradient.some((g) => g !== 0),
        `${name} has a gradient`,
      ).toBe(true);
      const scale = Math.max(Math.abs(expected), Math.hypot(...gradient), 0.02);
      expect(Math.abs(slope - expected) / scale, `${name}: ${slope} vs ${expected}`).toBeLessThan(
        5e-3,
      );
    }
    disposeAll([value, ...gradients]);
  });
});
