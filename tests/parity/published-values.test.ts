/** Numbers that the tests of other libraries hold; inputs and results only, with where they stand. */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { forwardKl, reverseKl } from "../../src/losses/index.js";

type Divergence = (student: tf.Tensor3D, teacher: tf.Tensor3D) => tf.Tensor2D;

function valuesOf(divergence: Divergence, student: number[][], teacher: number[][]): number[] {
  return tf.tidy(() => [...divergence(tf.tensor3d([student]), tf.tensor3d([teacher])).dataSync()]);
}

/** optax, `optax/losses/_classification_test.py`, `KLDivergenceTest`; tolerance 1e-4. */
describe("optax's kl_divergence(log_predictions, targets), which is KL(targets ‖ predictions)", () => {
  const logPredictions = [-2.9957, -3.5066, -3.912, -1.204, -0.6931, -2.3026];
  const targets = [0.2, 0.2, 0.2, 0.1, 0.15, 0.15].map(Math.log);

  test("0.8875577, and 0.7187436 the other way round", () => {
    const [forward] = valuesOf(forwardKl, [logPredictions], [targets]);
    const [swapped] = valuesOf(forwardKl, [targets], [logPredictions]);
    const [reverse] = valuesOf(reverseKl, [logPredictions], [targets]);
    expect(forward).toBeCloseTo(0.8875577, 4);
    expect(swapped).toBeCloseTo(0.7187435584901326, 4);
    expect(reverse).toBeCloseTo(0.7187435584901326, 4);
  });
});

/**
 * torchtune, `tests/torchtune/modules/loss/test_kd_losses.py`, `test_forward_kl_loss_expected`: the
 * mean over all tokens, in bfloat16, tolerance 1e-2. Its forward KL leaves out the teacher's entropy.
 */
test("torchtune's ForwardKLLoss, which is ours plus the entropy of the teacher, 1.7209", () => {
  const student = [
    [1.125, -0.4102, -0.0879, -2.5],
    [0.2676, 0.3535, 0.8711, -1.4688],
    [-0.1084, 1.6641, 0.0084, 0.1196],
    [0.5, -0.6406, -0.2236, -1.5938],
    [-1.5312, -1.9219, 0, -0.5039],
    [-1.5391, 1.5312, 0.582, 0.2695],
    [-0.3887, 1.2188, 0, 0.6055],
    [0.5, 1.3828, 0.1309, -1.0312],
  ];
  const teacher = [
    [-0.0381, -1.2578, -1.2031, 0.0947],
    [-0.7852, 0.4492, 1.5547, 0.0972],
    [0.8203, 0.0012, 0.7656, 0.3477],
    [-1.5781, 0.4297, 0.5977, 0.3926],
    [1.5156, 0.1641, 2.0781, -0.7734],
    [-0.5898, 0.4453, -0.7969, 0.6328],
    [0.6289, -0.8359, 0.9258, 0.2109],
    [0.0006, 0.5195, 3.2344, -1.5781],
  ];
  const divergences = valuesOf(forwardKl, student, teacher);
  const values = divergences.map((value, i) => value + entropy(teacher[i] as number[]));
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  expect(Math.abs(mean - 1.7209)).toBeLessThan(1e-2);
  const reverse = valuesOf(reverseKl, student, teacher).reduce((a, b) => a + b, 0) / values.length;
  const forward = divergences.reduce((a, b) => a + b, 0) / values.length;
  // The other direction would not pass.
  expect(Math.abs(reverse - forward)).toBeGreaterThan(2e-2);
});

function entropy(logits: readonly number[]): number {
  const powers = logits.map(Math.exp);
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.reduce((sum, p) => sum - (p / total) * Math.log(p / total), 0);
}
