/** Values worked out by hand, and losses that are another one in a special case. */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { randomCase } from "../../../../src/losses/checks/index.js";
import {
  attentionRelation,
  attentionRelationLoss,
  hiddenStateLoss,
  inBatchContrastiveLoss,
  kvMatchLoss,
  type LossDefinition,
  neuronSelectivityLoss,
} from "../../../../src/losses/index.js";
import {
  evaluateLoss,
  expectClose,
  expectSameLoss,
  lossValue,
} from "../../../setup/losses/loss-lists.js";

describe("hidden-state", () => {
  // Differences −2 and −3; the teacher's entries deviate by 1 from their mean.
  const states = { studentHiddenStates: [[[1, 2]]], teacherHiddenStates: [[[3, 5]]] };
  const cosine = 13 / Math.sqrt(5 * 34);

  test.each([
    [{}, (4 + 9) / 2],
    [{ metric: "l1" }, 2.5],
    [{ metric: "smooth-l1" }, 2],
    [{ metric: "cosine" }, 1 - cosine],
    [{ metric: "l1", teacherStd: true }, 2.5],
    // ‖u − v‖² = 2 − 2 cos for unit vectors, averaged over two entries.
    [{ normalize: true }, 1 - cosine],
  ])("%o", async (options, expected) => {
    expectClose([await lossValue(hiddenStateLoss, options, states)], [expected]);
  });

  test("smooth-l1 is quadratic near 0", async () => {
    const near = { studentHiddenStates: [[[0.5, 0]]], teacherHiddenStates: [[[0, 0.25]]] };
    const value = await lossValue(hiddenStateLoss, { metric: "smooth-l1" }, near);
    expectClose([value], [(0.125 + 0.03125) / 2]);
  });

  test("teacherStd divides by the teacher's deviation, not by the student's", async () => {
    const wide = { studentHiddenStates: [[[0, 8]]], teacherHiddenStates: [[[0, 4]]] };
    const options = { metric: "l1", teacherStd: true };
    expectClose([await lossValue(hiddenStateLoss, options, wide)], [1]);
  });
});

describe("attention-relation", () => {
  const attentions = {
    studentAttentions: [
      [
        [
          [1, 0],
          [0.5, 0.5],
        ],
        [
          [1, 0],
          [0.25, 0.75],
        ],
      ],
    ],
    teacherAttentions: [
      [
        [
          [1, 0],
          [0.75, 0.25],
        ],
        [
          [1, 0],
          [0.25, 0.75],
        ],
      ],
    ],
  };
  const kl = 0.75 * Math.log(1.5) + 0.25 * Math.log(0.5);

  test("KL(teacher ‖ student) per position, averaged over heads", async () => {
    const { values } = await evaluateLoss(attentionRelationLoss, {}, attentions);
    expectClose(values, [0, kl / 2]);
  });

  test("squared differences", async () => {
    const options = { metric: "mse" };
    const { values } = await evaluateLoss(attentionRelationLoss, options, attentions);
    expectClose(values, [0, 0.0625]);
  });

  test("no gradient reaches the scores of a student that looks where the teacher does", () => {
    tf.tidy(() => {
      const scores = tf.tensor4d([0.3, -1, 2, 0.1, 0, 1, 0.5, -0.5, 1], [1, 1, 3, 3]);
      const teacher = tf.softmax(scores);
      const gradient = tf.grad((s) => attentionRelation(tf.softmax(s as tf.Tensor4D), teacher))(
        scores,
      );
      expect(gradient.abs().max().dataSync()[0]).toBeLessThan(1e-6);
    });
  });
});

describe("neuron-selectivity", () => {
  // One position that counts; channels 1, 2 against 3, 1.
  const states = {
    studentHiddenStates: [
      [
        [1, 2],
        [9, 9],
      ],
    ],
    teacherHiddenStates: [
      [
        [3, 1],
        [-9, 7],
      ],
    ],
    positionMask: [[1, 0]],
  };

  test.each([
    [{ degree: 1 }, (1.5 - 2) ** 2],
    // Means of squares: 25/4 − 2 · (5 · 10)/4 + 100/4.
    [{}, 6.25 - 25 + 25],
    // All patterns are the unit vector of length one position.
    [{ normalize: true }, 0],
  ])("%o", async (options, expected) => {
    expectClose([await lossValue(neuronSelectivityLoss, options, states)], [expected], 1e-5);
  });

  test("does not ask which channel it is", async () => {
    const channels = (order: readonly number[]) => ({
      studentHiddenStates: [
        [
          [1, -2, 3],
          [0.5, 1, -1],
        ].map((row) => order.map((c) => row[c] as number)),
      ],
      teacherHiddenStates: [
        [
          [2, 1, 0],
          [-1, 0.5, 1],
        ],
      ],
      positionMask: [[1, 1]],
    });
    const [plain, permuted] = [channels([0, 1, 2]), channels([2, 0, 1])];
    for (const options of [{}, { normalize: true, degree: 3 }]) {
      const value = await lossValue(neuronSelectivityLoss, options, plain);
      expectClose([await lossValue(neuronSelectivityLoss, options, permuted)], [value], 1e-4);
    }
  });
});

describe("in-batch-contrastive", () => {
  const opposite = {
    studentHiddenStates: [[[2, 0]], [[0, 1]]],
    teacherHiddenStates: [[[1, 0]], [[0, 3]]],
    positionMask: [[1], [1]],
  };

  test("told apart from the other row's vectors, cosines 1 and 0 at temperature 0.5", async () => {
    const both = Math.log(1 + 2 * Math.exp(-2));
    const teacher = Math.log(1 + Math.exp(-2));
    const { values } = await evaluateLoss(inBatchContrastiveLoss, {}, opposite);
    expectClose(values, [both, both]);
    const options = { negatives: "teacher" };
    const narrower = await evaluateLoss(inBatchContrastiveLoss, options, opposite);
    expectClose(narrower.values, [teacher, teacher]);
  });

  test("a row at a position that does not count is nobody's negative", async () => {
    const alone = { ...opposite, positionMask: [[1], [0]] };
    const { values, gradientOf } = await evaluateLoss(inBatchContrastiveLoss, {}, alone);
    expectClose(values, [0, 0]);
    expectClose(gradientOf("studentHiddenStates"), [0, 0, 0, 0], 1e-7);
  });

  test("negatives come from the same position", async () => {
    const length2 = {
      studentHiddenStates: [
        [
          [2, 0],
          [1, 0],
        ],
        [
          [0, 1],
          [1, 0],
        ],
      ],
      teacherHiddenStates: [
        [
          [1, 0],
          [1, 0],
        ],
        [
          [0, 3],
          [1, 0],
        ],
      ],
      positionMask: [
        [1, 0],
        [1, 0],
      ],
    };
    const first = await evaluateLoss(inBatchContrastiveLoss, {}, opposite);
    const { values } = await evaluateLoss(inBatchContrastiveLoss, {}, length2);
    expectClose(values, first.values);
  });
});

describe("kv-match", () => {
  const caches = {
    studentKeys: [[[[0.5, 2]]]],
    studentValues: [[[[1, 1]]]],
    teacherKeys: [[[[0, 0]]]],
    teacherValues: [[[[1, 1]]]],
  };

  test("smooth L1 and squares, halved", async () => {
    expectClose([await lossValue(kvMatchLoss, {}, caches)], [(0.125 + 1.5) / 2]);
    expectClose([await lossValue(kvMatchLoss, { power: 2 }, caches)], [(0.25 + 4) / 2]);
  });

  test("keys and values count alike, positions and heads are averaged", async () => {
    const twice = {
      studentKeys: [
        [
          [
            [0.5, 2],
            [1, 1],
          ],
          [
            [0, 0],
            [0, 0],
          ],
        ],
      ],
      studentValues: [
        [
          [
            [1, 1],
            [1, 1],
          ],
          [
            [0, 0],
            [0, 0],
          ],
        ],
      ],
      teacherKeys: [
        [
          [
            [0, 0],
            [1, 1],
          ],
          [
            [0, 0],
            [0, 0],
          ],
        ],
      ],
      teacherValues: [
        [
          [
            [1, 1],
            [1, 0],
          ],
          [
            [0, 0],
            [0, 0],
          ],
        ],
      ],
    };
    const value = await lossValue(kvMatchLoss, { power: 2 }, twice);
    expectClose([value], [(4.25 + 1) / 2 / 2 / 2]);
  });

  test("the square is that of hidden-state, summed over entries", async () => {
    const states = {
      studentHiddenStates: [[[0.5, 2]]],
      teacherHiddenStates: [[[0, 0]]],
    };
    const mse = await lossValue(hiddenStateLoss, {}, states);
    expectClose([await lossValue(kvMatchLoss, { power: 2 }, caches)], [(2 * mse) / 2]);
  });
});

test.each([neuronSelectivityLoss, inBatchContrastiveLoss] as LossDefinition[])(
  "$name: NaN at positions that do not count reaches neither value nor gradient",
  async (loss) => {
    const inputs = randomCase(loss.needs, 6);
    const mask = inputs.positionMask?.data as Float32Array;
    const spoil = (input: "studentHiddenStates" | "teacherHiddenStates") => {
      const array = inputs[input] as { shape: number[]; data: Float32Array };
      const D = array.shape[2] as number;
      const data = array.data.map((x, i) => (mask[Math.floor(i / D)] === 0 ? NaN : x));
      expect(data.some(Number.isNaN)).toBe(true);
      return { ...array, data };
    };
    const withNaN = {
      ...inputs,
      studentHiddenStates: spoil("studentHiddenStates"),
      teacherHiddenStates: spoil("teacherHiddenStates"),
    };
    const trained = ["studentHiddenStates"] as const;
    await expectSameLoss([loss, {}, withNaN], [loss, {}, inputs], trained, 0);
  },
);
