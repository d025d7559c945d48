import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { adamwUpdate, globalNorm } from "../../../src/ops/index.js";
import { Random } from "../../../src/tensors/index.js";

const settings = { learningRate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1 };

/** The loop of torch.optim.AdamW (single tensor), in float64. */
function reference(start: readonly number[], gradients: readonly number[][], scale: number) {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = settings;
  const p = [...start];
  const m = p.map(() => 0);
  const v = p.map(() => 0);
  for (const [i, gradient] of gradients.entries()) {
    const step = i + 1;
    for (const [j, raw] of gradient.entries()) {
      const g = raw * scale;
      p[j]! *= 1 - learningRate * weightDecay;
      m[j]! += (g - m[j]!) * (1 - beta1);
      v[j] = v[j]! * beta2 + (1 - beta2) * g * g;
      const denominator = Math.sqrt(v[j]!) / Math.sqrt(1 - beta2 ** step) + epsilon;
      p[j]! -= (learningRate / (1 - beta1 ** step)) * (m[j]! / denominator);
    }
  }
  return { p, m, v };
}

test("ten steps as in float64, with a gradient scale and weight decay", () => {
  const random = new Random(3);
  const draw = () => Array.from({ length: 7 }, () => random.normal());
  const start = draw();
  const gradients = Array.from({ length: 10 }, draw);
  const state = tf.tidy(() => {
    let [parameter, firstMoment, secondMoment]: tf.Tensor[] = [
      tf.tensor1d(start),
      tf.zeros([7]),
      tf.zeros([7]),
    ];
    for (const [i, gradient] of gradients.entries()) {
      ({ parameter, firstMoment, secondMoment } = adamwUpdate(
        {
          parameter: parameter as tf.Tensor,
          firstMoment: firstMoment as tf.Tensor,
          secondMoment: secondMoment as tf.Tensor,
          gradient: tf.tensor1d(gradient),
          gradientScale: tf.scalar(0.25),
        },
        { ...settings, step: i + 1 },
      ));
    }
    return [parameter, firstMoment, secondMoment].map((t) => [...(t as tf.Tensor).dataSync()]);
  });
  const { p, m, v } = reference(start, gradients, 0.25);
  for (const [i, expected] of [p, m, v].entries()) {
    for (const [j, value] of expected.entries()) expect(state[i]?.[j]).toBeCloseTo(value, 5);
  }
});

test("the first step moves by the learning rate; a zero gradient only decays", () => {
  const [one, zero] = [tf.tensor1d([2, 2]), tf.tensor1d([0, 0])];
  const scale = tf.scalar(1);
  const gradient = tf.tensor1d([1e-3, 0]);
  const before = tf.memory().numTensors;
  const inputs = { parameter: one, firstMoment: zero, secondMoment: zero, gradient };
  const state = adamwUpdate({ ...inputs, gradientScale: scale }, { ...settings, step: 1 });
  expect(tf.memory().numTensors).toBe(before + 3);
  const [moved, decayed] = state.parameter.dataSync();
  expect(moved).toBeCloseTo(2 * (1 - 0.001) - 0.01, 5);
  expect(decayed).toBeCloseTo(2 * (1 - 0.001), 6);
  tf.dispose([one, zero, scale, gradient, { ...state }]);
});

test("the global norm is that of all entries together, and tells of NaN", () => {
  const tensors = [tf.tensor2d([[3, 0]]), tf.tensor1d([0, 4, 12]), tf.scalar(84)];
  const broken = tf.tensor1d([Number.NaN]);
  const before = tf.memory().numTensors;
  const norm = globalNorm(tensors);
  expect(tf.memory().numTensors).toBe(before + 1);
  const nan = globalNorm([...tensors, broken]);
  const none = globalNorm([]);
  expect(norm.shape).toEqual([]);
  expect(norm.dataSync()[0]).toBeCloseTo(85, 5);
  expect(nan.dataSync()[0]).toBeNaN();
  expect(none.dataSync()[0]).toBe(0);
  tf.dispose([...tensors, broken, norm, nan, none]);
});
