/** Values worked out by hand, and losses that are another one in a special case. */
import { describe, expect, test } from "vitest";
import { randomCase } from "../../../../src/losses/checks/index.js";
import {
  dpoLoss,
  ipoLoss,
  type LossDefinition,
  lossesByKind,
  rediLoss,
  rpoLoss,
  simpoLoss,
  thoughtPathContrastiveLoss,
  tripletLoss,
} from "../../../../src/losses/index.js";
import {
  evaluateLoss,
  expectClose,
  expectSameLoss,
  lossValue,
} from "../../../setup/losses/loss-lists.js";

/** log(1 + 1/e), which is −log σ(1). */
const minusLogSigmoidOf1 = 0.3132616875;

// Means −2 and −4; the third positive token is padding.
const answers = {
  positiveTokenLogProbs: [[-1, -3, -9]],
  positiveMask: [[1, 1, 0]],
  negativeTokenLogProbs: [[-2, -4, -6]],
  negativeMask: [[1, 1, 1]],
};
// log π/π_ref: +1 for the positive, −1 for the negative answer.
const referenced = {
  ...answers,
  referencePositiveTokenLogProbs: [[-2, -3, -1]],
  referenceNegativeTokenLogProbs: [[-2, -4, -5]],
};
const trained = ["positiveTokenLogProbs", "negativeTokenLogProbs"] as const;

describe("redi", () => {
  test("means of each answer, weighted 1 and 0.8", async () => {
    const { values, gradientOf } = await evaluateLoss(rediLoss, {}, answers);
    expectClose(values, [2 - 0.8 * 4]);
    expectClose(gradientOf("positiveTokenLogProbs"), [-1 / 2, -1 / 2, 0]);
    expectClose(gradientOf("negativeTokenLogProbs"), [0.8 / 3, 0.8 / 3, 0.8 / 3]);
  });

  test("weights are not exchanged", async () => {
    const options = { positiveWeight: 0.5, negativeWeight: 0.25 };
    expectClose([await lossValue(rediLoss, options, answers)], [0.5 * 2 - 0.25 * 4]);
  });

  test("the reweighting of the negative side has a gradient of its own", async () => {
    const { values, gradientOf } = await evaluateLoss(
      rediLoss,
      { negativeReweighting: 1 },
      answers,
    );
    expectClose(values, [2 - 0.8 * 4 * Math.exp(-4)]);
    // d(m eᵐ)/dm = eᵐ (1 + m), at m = −4, over three tokens.
    const expected = (0.8 * Math.exp(-4) * (1 - 4)) / 3;
    expectClose(gradientOf("negativeTokenLogProbs"), [expected, expected, expected]);
  });

  test("without the negative side it is the likelihood of the right answer per token", async () => {
    expect(await lossValue(rediLoss, { negativeWeight: 0 }, answers)).toBe(2);
  });
});

describe("dpo, rpo and ipo", () => {
  test("dpo: sums over tokens against the reference", async () => {
    expectClose([await lossValue(dpoLoss, { beta: 0.5 }, referenced)], [minusLogSigmoidOf1]);
    const atReference = {
      ...referenced,
      referencePositiveTokenLogProbs: referenced.positiveTokenLogProbs,
      referenceNegativeTokenLogProbs: referenced.negativeTokenLogProbs,
    };
    expectClose([await lossValue(dpoLoss, {}, atReference)], [Math.LN2]);
  });

  test("dpo raises the preferred answer and lowers the other by the same", async () => {
    const { gradientOf } = await evaluateLoss(dpoLoss, { beta: 0.5 }, referenced);
    const slope = 0.5 / (1 + Math.E);
    expectClose(gradientOf("positiveTokenLogProbs"), [-slope, -slope, 0]);
    expectClose(gradientOf("negativeTokenLogProbs"), [slope, slope, slope]);
  });

  test("rpo adds the likelihood per token", async () => {
    const value = await lossValue(rpoLoss, { beta: 0.5, nllWeight: 0.25 }, referenced);
    expectClose([value], [minusLogSigmoidOf1 + 0.25 * 2]);
  });

  test("rpo without that is dpo", async () => {
    const inputs = randomCase(dpoLoss.needs, 3);
    const options = { beta: 0.7 };
    await expectSameLoss(
      [rpoLoss, { ...options, nllWeight: 0 }, inputs],
      [dpoLoss, options, inputs],
      trained,
      0,
    );
  });

  test("ipo: squared distance to 1/(2β), of sums or of means", async () => {
    expectClose([await lossValue(ipoLoss, { beta: 0.1 }, referenced)], [(2 - 5) ** 2]);
    const options = { beta: 0.5, lengthNormalized: true };
    expectClose([await lossValue(ipoLoss, options, referenced)], [(1 / 2 + 1 / 3 - 1) ** 2]);
  });
});

describe("simpo", () => {
  test("difference of the means, scaled, minus the margin", async () => {
    expectClose([await lossValue(simpoLoss, { beta: 1, gamma: 1 }, answers)], [minusLogSigmoidOf1]);
  });

  test("is dpo without a reference where both answers are equally long", async () => {
    const zeros = [[0, 0, 0]];
    const pairs = {
      ...answers,
      positiveTokenLogProbs: [[-1, -3, -0.5]],
      positiveMask: [[1, 1, 1]],
    };
    const free = {
      ...pairs,
      referencePositiveTokenLogProbs: zeros,
      referenceNegativeTokenLogProbs: zeros,
    };
    await expectSameLoss(
      [simpoLoss, { beta: 3 * 0.4, gamma: 0 }, pairs],
      [dpoLoss, { beta: 0.4 }, free],
      trained,
    );
  });
});

describe("triplet", () => {
  const states = (positive: number[], negative: number[]) => ({
    anchorStates: [[2, 0]],
    positiveStates: [positive],
    negativeStates: [negative],
  });

  test("distances of 1 and 0 are wrong by 1, plus the margin", async () => {
    const wrong = states([0, 3], [1, 0]);
    expectClose([await lossValue(tripletLoss, {}, wrong)], [2]);
    expectClose([await lossValue(tripletLoss, { margin: 0.5 }, wrong)], [1.5]);
  });

  test("0 with a gradient of 0 where the margin is met", async () => {
    const right = states([1, 0], [-1, 0.1]);
    const { values, gradientOf } = await evaluateLoss(tripletLoss, {}, right);
    expect(values).toEqual([0]);
    expect(gradientOf("anchorStates").every((g) => g === 0)).toBe(true);
  });
});

describe("thought-path-contrastive", () => {
  const paths = (unchanged: number[], flipped: number[]) => ({
    anchorStates: [[1, 0]],
    counterfactualAnchorStates: [flipped],
    unchangedStates: [
      [
        [0, 2],
        [5, 5],
      ],
    ],
    counterfactualUnchangedStates: [[unchanged, [7, -7]]],
    listMask: [[1, 0]],
  });

  test("cosine 1 against 0 at temperature 0.5", async () => {
    const inputs = paths([0, 1], [0, 3]);
    const value = await lossValue(thoughtPathContrastiveLoss, { temperature: 0.5 }, inputs);
    expectClose([value], [Math.log1p(Math.exp(-2))]);
  });

  test("ln 2 where the flipped option stays as alike as the others", async () => {
    const value = await lossValue(thoughtPathContrastiveLoss, {}, paths([0, 1], [2, 0]));
    expectClose([value], [Math.LN2]);
  });
});

const masked = (lossesByKind.pairs as readonly LossDefinition[]).filter(({ needs }) =>
  needs.some((input) => input.endsWith("Mask")),
);
test.each(masked)("$name: NaN in the padding reaches neither value nor gradient", async (loss) => {
  const inputs = randomCase(loss.needs, 2);
  const withNaN = { ...inputs };
  for (const [mask, ...marked] of [
    ["positiveMask", "positiveTokenLogProbs", "referencePositiveTokenLogProbs"],
    ["negativeMask", "negativeTokenLogProbs"],
    ["listMask", "unchangedStates", "counterfactualUnchangedStates"],
  ] as const) {
    for (const name of marked) {
      const array = inputs[name];
      if (array === undefined) continue;
      const flags = inputs[mask]?.data as Float32Array;
      const inner = array.data.length / flags.length;
      const data = Float32Array.from(array.data, (x, i) =>
        flags[Math.floor(i / inner)] === 0 ? NaN : x,
      );
      expect(data.some(Number.isNaN), name).toBe(true);
      withNaN[name] = { ...array, data };
    }
  }
  const trainedHere = loss.needs.filter((n) =>
    /^(positive|negative|un|counter)\w*(Probs|States)/.test(n),
  );
  await expectSameLoss([loss, {}, withNaN], [loss, {}, inputs], trainedHere, 0);
});

test.each([dpoLoss, rpoLoss, ipoLoss, simpoLoss] as LossDefinition[])(
  "$name: a side without tokens makes no pair",
  async (loss) => {
    const half = { ...referenced, negativeMask: [[0, 0, 0]] };
    const inputs = Object.fromEntries(loss.needs.map((n) => [n, half[n as keyof typeof half]]));
    const expected = loss.name === "rpo" ? 0.5 * 2 : 0;
    expectClose([await lossValue(loss, {}, inputs)], [expected]);
  },
);
