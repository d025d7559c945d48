import { type Mutant, mutantsOf } from "./mutant.js";

const answers = "losses/answer-log-probs.ts";
const masked = "losses/masked.ts";
const cosine = "losses/cosine-similarity.ts";

const sumMask = ["mask", "keepMasked(x, mask).sum(-1) as", "x.sum(-1) as", answers] as const;
const meanMask = ["mask", "keepMasked(x, mask).sum(-1).div", "x.sum(-1).div", masked] as const;
const meanCount = [
  "normalizer",
  "stopGradient(mask).notEqual(0).toFloat().sum(-1)",
  "tf.scalar(mask.shape[1])",
  masked,
] as const;
const noCosine = [
  "normalizer",
  "unitVectors(a).mul(unitVectors(b))",
  "unitVectors(a).mul(b)",
  cosine,
] as const;

export const pairMutants: readonly Mutant[] = [
  ...mutantsOf("redi", "losses/pairs/redi.ts", [
    [
      "direction",
      "pushed.mul(negativeWeight).sub(positive.mul(positiveWeight))",
      "positive.mul(positiveWeight).sub(pushed.mul(negativeWeight))",
    ],
    [
      "weight",
      "pushed.mul(negativeWeight).sub(positive.mul(positiveWeight))",
      "pushed.mul(positiveWeight).sub(positive.mul(negativeWeight))",
    ],
    ["weight", "negative.mul(negativeReweighting)", "negative.mul(-negativeReweighting)"],
    ["normalizer", 'answerLogProbs(pairs, "mean")', 'answerLogProbs(pairs, "sum")'],
    meanCount,
    meanMask,
    [
      "gradient",
      "negative.mul(negative.mul(negativeReweighting).exp())",
      "negative.mul(tf.customGrad(() => ({ value: negative.mul(negativeReweighting).exp(), gradFunc: () => [] }))())",
    ],
  ]),
  ...mutantsOf("dpo", "losses/pairs/dpo.ts", [
    ["direction", "preference.mul(-beta)", "preference.mul(beta)"],
    ["direction", "positive.sub(negative)", "positive.add(negative)", answers],
    ["weight", "preference.mul(-beta)", "preference.mul(-1)"],
    [
      "normalizer",
      'preferenceOverReference(pairs, "sum")',
      'preferenceOverReference(pairs, "mean")',
    ],
    sumMask,
    ["mask", "whole, values, tf.zerosLike(values)", "whole, values, values", answers],
    [
      "gradient",
      "stopGradient(pairs.referencePositiveTokenLogProbs)",
      "pairs.referencePositiveTokenLogProbs",
      answers,
    ],
  ]),
  ...mutantsOf("rpo", "losses/pairs/rpo.ts", [
    ["direction", ".sub(positive.mul(nllWeight))", ".add(positive.mul(nllWeight))"],
    ["weight", "positive.mul(nllWeight)", "positive.mul(1)"],
    ["weight", "dpo(pairs, dpoOptions)", "dpo(pairs)"],
    ["normalizer", 'answerLogProbs(pairs, "mean")', 'answerLogProbs(pairs, "sum")'],
    meanCount,
    meanMask,
    sumMask,
  ]),
  ...mutantsOf("ipo", "losses/pairs/ipo.ts", [
    ["direction", "preference.sub(1 / (2 * beta))", "preference.add(1 / (2 * beta))"],
    ["weight", "preference.sub(1 / (2 * beta))", "preference.sub(1 / beta)"],
    ["normalizer", 'lengthNormalized ? "mean" : "sum"', 'lengthNormalized ? "sum" : "mean"'],
    sumMask,
    meanMask,
    ["mask", "whole, values, tf.zerosLike(values)", "whole, values, values", answers],
    [
      "gradient",
      "stopGradient(pairs.referenceNegativeTokenLogProbs)",
      "pairs.referenceNegativeTokenLogProbs",
      answers,
    ],
  ]),
  ...mutantsOf("simpo", "losses/pairs/simpo.ts", [
    ["direction", "margin.neg().softplus()", "margin.softplus()"],
    ["weight", ".mul(beta).sub(gamma)", ".sub(gamma).mul(beta)"],
    ["weight", ".sub(gamma)", ".add(gamma)"],
    ["normalizer", 'answerLogProbs(pairs, "mean")', 'answerLogProbs(pairs, "sum")'],
    meanCount,
    meanMask,
  ]),
  ...mutantsOf("triplet", "losses/pairs/triplet.ts", [
    ["direction", "far.sub(near)", "near.sub(far)"],
    ["weight", ".add(margin)", ".sub(margin)"],
    ["normalizer", ".add(margin).relu()", ".add(margin)"],
    noCosine,
  ]),
  ...mutantsOf("thought-path-contrastive", "losses/pairs/thought-path-contrastive.ts", [
    ["direction", "lead.neg().softplus()", "lead.softplus()"],
    ["temperature", ".div(temperature)", ""],
    ["temperature", ".div(temperature)", ".mul(temperature)"],
    meanMask,
    meanCount,
    noCosine,
    [
      "weight",
      "paths.anchorStates, paths.counterfactualAnchorStates",
      "paths.anchorStates, paths.anchorStates",
    ],
  ]),
];
