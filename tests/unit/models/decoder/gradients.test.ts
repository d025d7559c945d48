import * as tf from "@tensorflow/tfjs-core";
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

  test("with a frozen parameter in every block, whose ops are then single ones, the others have the same gradients", () => {
    using decoder = tinyDecoder(config);
    const isFrozen = (name: string) => /norm|ln_/.test(name);
    const learned = [...decoder.parameters].filter(([name]) => !isFrozen(name));
    const variables = learned.map(([, variable]) => variable);
    const whole = variableGradients(() => loss(decoder), variables);
    for (const [name, variable] of decoder.parameters) variable.trainable = !isFrozen(name);
    const single = variableGradients(() => loss(decoder), variables);
    expect(single.value.dataSync()[0]).toBeCloseTo(whole.value.dataSync()[0]!, 5);
    for (const [i, [name]] of learned.entries()) {
      const [a, b] = [whole, single].map(({ gradients }) => gradients[i]!.dataSync());
      const size = Math.max(...a!.map(Math.abs));
      const difference = Math.max(...a!.map((value, j) => Math.abs(value - b![j]!)));
      expect(difference / size, name).toBeLessThan(2e-5);
    }
    disposeAll([whole.value, ...whole.gradients, single.value, ...single.gradients]);
  });
});
