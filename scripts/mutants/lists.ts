import { type Mutant, mutantsOf } from "./mutant.js";

const lists = "losses/scored-lists.ts";
const pairMask = [
  "mask",
  "greater(0).toFloat().mul(realPairs(listMask))",
  "greater(0).toFloat()",
  lists,
] as const;
const pairCount = ["normalizer", "pairs.sum([1, 2]).maximum(1)", "pairs.size", lists] as const;
const logitMask = ["mask", "keepMasked(scores, listMask, maskedScore)", "scores", lists] as const;
const teacherGradient = [
  "gradient",
  "stopGradient(keepMasked(teacherScores, mask))",
  "keepMasked(teacherScores, mask)",
  lists,
] as const;

export const listMutants: readonly Mutant[] = [
  ...mutantsOf("rank-net", "losses/lists/rank-net.ts", [
    ["direction", "lead.neg().softplus()", "lead.softplus()"],
    ["direction", "wanted.mul(lead)", "tf.sub(1, wanted).mul(lead)"],
    ["weight", "studentScores).mul(sigma)", "studentScores)"],
    ["weight", "teacherScores).mul(sigma)", "teacherScores)"],
    pairMask,
    ["mask", "realPairs(checked.listMask).mul(others)", "tf.onesLike(lead).mul(others)"],
    ["normalizer", "realPairs(checked.listMask).mul(others)", "realPairs(checked.listMask)"],
    pairCount,
    teacherGradient,
  ]),
  ...mutantsOf("list-net", "losses/lists/list-net.ts", [
    [
      "direction",
      "target.mul(logProbs(studentScores))",
      "logProbs(studentScores).exp().mul(logProbs(teacherScores))",
    ],
    ["temperature", "{ temperature })", "{})"],
    logitMask,
    ["normalizer", ".sum(-1)", ".mean(-1)"],
    teacherGradient,
  ]),
  ...mutantsOf("list-mle", "losses/lists/list-mle.ts", [
    ["direction", "greaterEqual(0)", "lessEqual(0)"],
    ["weight", "less(topK)", "lessEqual(topK)"],
    ["mask", "greaterEqual(0).toFloat().mul(realPairs(listMask))", "greaterEqual(0).toFloat()"],
    ["mask", "keepMasked(surprise, listMask)", "surprise"],
    ["mask", "less(topK).toFloat().mul(listMask)", "less(topK).toFloat()"],
    [
      "normalizer",
      "keepMasked(surprise, listMask).sum(-1)",
      "keepMasked(surprise, listMask).mean(-1)",
    ],
  ]),
  ...mutantsOf("lambda-rank", "losses/lists/lambda-rank.ts", [
    ["direction", ".mul(-sigma)", ".mul(sigma)"],
    ["weight", "pairLoss.mul(weights)", "pairLoss"],
    ["weight", 'gain === "exponential"\n', 'gain !== "exponential"\n'],
    ["weight", ".add(1).log()", ".log1p().add(1).log()"],
    ["mask", "above.mul(realPairs(listMask))", "above"],
    ["mask", "keepMasked(relative as tf.Tensor2D, listMask)", "relative as tf.Tensor2D"],
    ["mask", "keepMasked(teacherScores, listMask, -maskedScore)", "teacherScores"],
    pairMask,
    ["normalizer", "discount(teacherScores)", "discount(studentScores)"],
  ]),
  ...mutantsOf("pairwise-hinge", "losses/lists/pairwise-hinge.ts", [
    ["direction", ".neg().add(margin)", ".add(margin)"],
    ["weight", ".add(margin)", ".add(1)"],
    pairMask,
    pairCount,
  ]),
  ...mutantsOf("candidate-cross-entropy", "losses/lists/candidate-cross-entropy.ts", [
    ["direction", "meanOfMasked(logProbs, best).neg()", "meanOfMasked(logProbs, best)"],
    ["direction", "teacherScores.equal(highest)", "studentScores.equal(highest)"],
    ["temperature", "{ temperature })", "{})"],
    logitMask,
    ["mask", ".mul<tf.Tensor2D>(listMask)", ".mul<tf.Tensor2D>(1)"],
    ["mask", "keepMasked(teacherScores, listMask, maskedScore)", "teacherScores"],
    ["normalizer", "meanOfMasked(logProbs, best)", "keepMasked(logProbs, best).sum(-1)"],
  ]),
  ...mutantsOf("list-kl", "losses/lists/list-kl.ts", [
    ["direction", "forwardKl(student, teacher, options)", "forwardKl(teacher, student, options)"],
    ["temperature", "forwardKl(student, teacher, options)", "forwardKl(student, teacher)"],
    [
      "temperature",
      "perToken, temperature * temperature",
      "perToken, temperature",
      "losses/temperature.ts",
    ],
    logitMask,
  ]),
];
