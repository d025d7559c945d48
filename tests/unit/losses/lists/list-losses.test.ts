/** Values worked out by hand, and losses that are another one in a special case. */
import { describe, expect, test } from "vitest";
import { type LossCase, randomCase } from "../../../../src/losses/checks/index.js";
import {
  candidateCrossEntropyLoss,
  forwardKlLoss,
  lambdaRankLoss,
  listKlLoss,
  listMleLoss,
  listNetLoss,
  type LossDefinition,
  lossesByKind,
  pairwiseHingeLoss,
  rankNetLoss,
} from "../../../../src/losses/index.js";
import {
  evaluateLoss,
  expectClose,
  expectSameLoss,
  lossValue,
} from "../../../setup/losses/loss-lists.js";

const list = (studentScores: number[], teacherScores: number[], mask?: number[]) => ({
  studentScores: [studentScores],
  teacherScores: [teacherScores],
  listMask: [mask ?? studentScores.map(() => 1)],
});
const four = list([1, 2, 3, 0.5], [3, 1, 0.2, -1]);
const entropy = (p: readonly number[]) => -p.reduce((sum, x) => sum + x * Math.log(x), 0);
const random = randomCase(listKlLoss.needs, 7);
const scores = ["studentScores"] as const;

describe("rank-net", () => {
  test("mean over the teacher's six pairs", async () => {
    expectClose([await lossValue(rankNetLoss, {}, four)], [0.9179719]);
  });

  test("pairs that the teacher scores alike are left out", async () => {
    // (0, 1) and (0, 2) remain: softplus(−1) and softplus(1).
    const tied = list([0, -1, 1], [2, 0, 0]);
    expectClose([await lossValue(rankNetLoss, {}, tied)], [(0.3132616875 + 1.3132616875) / 2]);
    const { values, gradientOf } = await evaluateLoss(rankNetLoss, {}, list([1, 2], [5, 5]));
    expect(values).toEqual([0]);
    expectClose(gradientOf("studentScores"), [0, 0], 0);
  });

  test("a masked candidate makes no pair", async () => {
    const masked = list([1, 2, 3, 0.5, 99], [3, 1, 0.2, -1, 99], [1, 1, 1, 1, 0]);
    expectClose([await lossValue(rankNetLoss, {}, masked)], [0.9179719]);
  });

  test("sigma scales the differences", async () => {
    expectClose(
      [await lossValue(rankNetLoss, { sigma: 2 }, list([0.5, 0], [1, 0]))],
      [0.3132616875],
    );
  });

  test("soft: odds of 3 to 1 against a student without an opinion cost ln 2", async () => {
    const options = { target: "soft" };
    const odds = [Math.log(3), 0];
    expectClose([await lossValue(rankNetLoss, options, list([0, 0], odds))], [Math.LN2]);
    const same = await lossValue(rankNetLoss, options, list(odds, odds));
    expectClose([same], [entropy([0.75, 0.25])]);
  });

  test.each([0.5, 1, 2])(
    "soft, sigma %d: no gradient where the student equals the teacher",
    async (sigma) => {
      const options = { target: "soft", sigma };
      const same = { ...random, studentScores: random.teacherScores } as LossCase;
      const { gradientOf } = await evaluateLoss(rankNetLoss, options, same);
      for (const gradient of gradientOf("studentScores")) {
        expect(Math.abs(gradient)).toBeLessThan(1e-6);
      }
    },
  );

  test("order: the right ranking is still pushed apart", async () => {
    const { gradientOf } = await evaluateLoss(rankNetLoss, {}, list([3, 1], [2, 0]));
    expect(gradientOf("studentScores")[0]).toBeLessThan(-0.1);
  });
});

describe("pairwise-hinge", () => {
  test("what each pair misses of the margin, over six pairs", async () => {
    expectClose([await lossValue(pairwiseHingeLoss, {}, four)], [(2 + 3 + 0.5 + 2) / 6]);
  });

  test("0 with a gradient of 0 once all pairs lead by the margin", async () => {
    const right = list([4, 2, 0], [9, 8, 7]);
    const { values, gradientOf } = await evaluateLoss(pairwiseHingeLoss, { margin: 1.5 }, right);
    expect(values).toEqual([0]);
    expect(gradientOf("studentScores").every((g) => g === 0)).toBe(true);
  });
});

describe("list-kl, list-net and candidate-cross-entropy", () => {
  test.each([
    [{}, 1.63903521],
    [{ temperature: 2 }, 0.46732584],
    [{ temperature: 2, temperatureSquared: true }, 1.86930337],
  ])("list-kl %o", async (options, expected) => {
    expectClose([await lossValue(listKlLoss, options, four)], [expected]);
  });

  test("list-kl is the forward KL over the list", async () => {
    const options = { temperature: 0.7, temperatureSquared: true };
    const logits = {
      studentLogits: [four.studentScores],
      teacherLogits: [four.teacherScores],
    };
    const ofLists = await evaluateLoss(listKlLoss, options, four);
    const ofTokens = await evaluateLoss(forwardKlLoss, options, logits);
    expect(ofLists.values).toEqual(ofTokens.values);
    expect(ofLists.gradientOf("studentScores")).toEqual(ofTokens.gradientOf("studentLogits"));
  });

  test("list-net is list-kl plus the teacher's entropy, with the same gradient", async () => {
    const teacher = [0.823411, 0.111437, 0.050072, 0.015081];
    const value = await lossValue(listNetLoss, {}, four);
    expectClose([value], [1.63903521 + entropy(teacher)], 1e-5);
    const options = { temperature: 2 };
    const gradient = (loss: LossDefinition) =>
      evaluateLoss(loss, options, random).then(({ gradientOf }) => gradientOf("studentScores"));
    expectClose(await gradient(listNetLoss), await gradient(listKlLoss));
  });

  test("candidate-cross-entropy: −log of the favourite's share", async () => {
    expectClose([await lossValue(candidateCrossEntropyLoss, {}, four)], [2.460773], 1e-5);
  });

  test("candidate-cross-entropy: tied favourites share the label", async () => {
    const value = await lossValue(candidateCrossEntropyLoss, {}, list([0, 1, 2], [1, 0, 1]));
    const total = Math.log(1 + Math.E + Math.exp(2));
    expectClose([value], [total - (0 + 2) / 2]);
  });

  test("candidate-cross-entropy: a masked candidate is no favourite and no rival", async () => {
    const masked = list([1, 2, 3, 0.5, 9], [3, 1, 0.2, -1, 9], [1, 1, 1, 1, 0]);
    expectClose([await lossValue(candidateCrossEntropyLoss, {}, masked)], [2.460773], 1e-5);
  });

  test("candidate-cross-entropy: a masked candidate is no favourite where the best score is 0", async () => {
    const masked = list([1, 2, 5], [0, -1, 7], [1, 1, 0]);
    const value = await lossValue(candidateCrossEntropyLoss, {}, masked);
    expectClose([value], [Math.log1p(Math.E)]);
  });

  test("candidate-cross-entropy is list-kl to a one-hot teacher", async () => {
    const oneHot = list([1, 2, 3, 0.5], [-1e9, 0, -1e9, -1e9]);
    const options = { temperature: 2 };
    await expectSameLoss(
      [candidateCrossEntropyLoss, options, oneHot],
      [listKlLoss, options, oneHot],
      scores,
    );
  });
});

describe("list-mle", () => {
  const logSum = (numbers: readonly number[]) =>
    Math.log(numbers.reduce((sum, x) => sum + Math.exp(x), 0));

  test("draws in the teacher's order", async () => {
    const expected =
      logSum([1, 2, 3, 0.5]) - 1 + (logSum([2, 3, 0.5]) - 2) + (logSum([3, 0.5]) - 3);
    expectClose([await lossValue(listMleLoss, {}, four)], [expected]);
    const firstTwo = logSum([1, 2, 3, 0.5]) - 1 + (logSum([2, 3, 0.5]) - 2);
    expectClose([await lossValue(listMleLoss, { topK: 2 }, four)], [firstTwo]);
  });

  test("tied candidates compete at both of their places", async () => {
    const value = await lossValue(listMleLoss, {}, list([1, 2, 3], [5, 5, 0]));
    expectClose([value], [2 * logSum([1, 2, 3]) - 1 - 2]);
  });

  test("only the first place: the cross-entropy of the favourite", async () => {
    await expectSameLoss(
      [listMleLoss, { topK: 1 }, random],
      [candidateCrossEntropyLoss, {}, random],
      scores,
    );
  });

  test("two candidates: rank-net", async () => {
    const two = list([0.3, 1.1], [2, -1]);
    await expectSameLoss([listMleLoss, {}, two], [rankNetLoss, {}, two], scores);
  });

  test("a score far below the others does not overflow", async () => {
    const value = await lossValue(listMleLoss, {}, list([0, -1e4, -1.0001e4], [3, 2, 1]));
    expectClose([value], [Math.log1p(Math.exp(-1))], 1e-3);
  });
});

describe("lambda-rank", () => {
  test("two candidates: the exchange costs 1 − 1/log2(3)", async () => {
    const weight = 1 - 1 / Math.log2(3);
    const value = await lossValue(lambdaRankLoss, {}, list([0, 1], [1, 0]));
    expectClose([value], [weight * 1.3132616875]);
  });

  test("gain 2^r − 1 or r", async () => {
    // Ranks 2, 1, 3 of relevances 2, 1, 0; pairs (0,1), (0,2), (1,2).
    const d = [1, 1 / Math.log2(3), 0.5] as const;
    const pairs = (gains: readonly [number, number]) => {
      const best = gains[0] * d[0] + gains[1] * d[1];
      const softplus = (x: number) => Math.log1p(Math.exp(x));
      const changes = [
        (gains[0] - gains[1]) * (d[0] - d[1]) * softplus(1),
        gains[0] * (d[1] - d[2]) * softplus(-1),
        gains[1] * (d[0] - d[2]) * softplus(-2),
      ];
      return changes.reduce((a, b) => a + b, 0) / best;
    };
    const three = list([1, 2, 0], [2, 1, 0]);
    expectClose([await lossValue(lambdaRankLoss, {}, three)], [pairs([3, 1])]);
    const linear = { gain: "linear" };
    expectClose([await lossValue(lambdaRankLoss, linear, three)], [pairs([2, 1])]);
  });

  test("no gradient flows through the ranks", async () => {
    const { gradientOf } = await evaluateLoss(lambdaRankLoss, {}, list([0, 1], [1, 0]));
    const slope = (1 - 1 / Math.log2(3)) / (1 + Math.exp(-1));
    expectClose(gradientOf("studentScores"), [-slope, slope]);
  });

  test("a student without an opinion still gets a gradient", async () => {
    const { gradientOf } = await evaluateLoss(lambdaRankLoss, {}, list([0, 0, 0], [0, 1, 2]));
    expect(gradientOf("studentScores")[2]).toBeLessThan(-0.01);
  });
});

test.each(lossesByKind.lists as readonly LossDefinition[])(
  "$name: NaN in the padding reaches neither value nor gradient",
  async (loss) => {
    const mask = random.listMask?.data as Float32Array;
    const spoil = (input: "studentScores" | "teacherScores") => {
      const array = random[input] as { shape: number[]; data: Float32Array };
      return { ...array, data: array.data.map((x, i) => (mask[i] === 0 ? NaN : x)) };
    };
    const withNaN = {
      ...random,
      studentScores: spoil("studentScores"),
      teacherScores: spoil("teacherScores"),
    };
    expect(withNaN.studentScores.data.some(Number.isNaN)).toBe(true);
    await expectSameLoss([loss, {}, withNaN], [loss, {}, random], scores, 0);
  },
);
