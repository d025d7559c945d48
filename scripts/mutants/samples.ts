import { type Mutant, mutantsOf } from "./mutant.js";

const aggregation = "losses/aggregation.ts";

/** Sparse teachers and sampled tokens, and what averages all losses. */
export const sampleMutants: readonly Mutant[] = [
  ...mutantsOf("sparse-kl", "losses/sparse/sparse-kl.ts", [
    [
      "direction",
      'const [p, q] = direction === "forward"',
      'const [p, q] = direction !== "forward"',
    ],
    [
      "direction",
      "[teacherTail, studentTail] : [studentTail, teacherTail]",
      "[studentTail, teacherTail] : [teacherTail, studentTail]",
    ],
    ["temperature", "renormalize(top, temperature)", "renormalize(top, 1)"],
    ["temperature", "teacherTokenIds, { temperature })", "teacherTokenIds)"],
    ["mask", ".mul(isOutside)", ""],
    ["normalizer", '"renormalized" ? renormalize(selected, 1)', '"renormalized" ? selected'],
    ["weight", 'support === "raw" || support === "tail" ? top', 'support === "raw" ? top'],
    ["gradient", "stopGradient(teacherTopLogProbs)", "teacherTopLogProbs"],
  ]),
  ...mutantsOf("generalized-forward-kl", "losses/sparse/generalized-forward-kl.ts", [
    ["direction", "generalizedKl(teacher, student)", "generalizedKl(student, teacher)"],
  ]),
  ...mutantsOf("generalized-forward-kl", "losses/generalized-kl.ts", [
    ["weight", ".sub(p).add(q)", ""],
    ["weight", ".sub(p).add(q)", ".sub(q).add(p)"],
    ["mask", "whereLikely(p, logP.sub(logQ))", "logP.sub(logQ)"],
  ]),
  ...mutantsOf("generalized-reverse-kl", "losses/sparse/generalized-reverse-kl.ts", [
    ["direction", "generalizedKl(student, teacher)", "generalizedKl(teacher, student)"],
  ]),
  ...mutantsOf("generalized-reverse-kl", "losses/generalized-kl.ts", [
    ["direction", "logP.sub(logQ)", "logQ.sub(logP)"],
    ["gradient", "stopGradient(teacherTopLogProbs)", "teacherTopLogProbs"],
    ["normalizer", ".sum(-1)", ".mean(-1)"],
  ]),
  ...mutantsOf("sampled-kl", "losses/sparse/sampled-kl.ts", [
    ["direction", "teacher.sub(student)", "student.sub(teacher)"],
    [
      "weight",
      "teacher.sub(stopGradient(teacherSampleLogProbs))",
      "stopGradient(teacherSampleLogProbs).sub(teacher)",
    ],
    ["weight", "normalizeWeights ? tf.softmax(", "!normalizeWeights ? tf.softmax("],
    ["normalizer", "logWeights.exp().div(K)", "logWeights.exp()"],
  ]),
  ...mutantsOf("policy-gradient", "losses/sampled/policy-gradient.ts", [
    ["direction", "return tf.sub(0, worth)", "return tf.add(0, worth)"],
    ["direction", "tf.sub(0, tf.maximum(worth", "tf.add(0, tf.maximum(worth"],
    ["weight", "gain.mul(dualClip)", "gain"],
    ["direction", "tf.minimum(ratio.mul(gain)", "tf.maximum(ratio.mul(gain)"],
    ["weight", "1 - clipLow", "1 - (clipHigh ?? 0)"],
    ["weight", ": 1 + clipHigh;", ": 1 + (clipLow ?? 0);"],
    ["gradient", "stopGradient(advantages)", "advantages"],
    ["normalizer", "? { fixedLength } : aggregation", '? "token" : aggregation', aggregation],
  ]),
  ...mutantsOf("guided-policy-gradient", "losses/sampled/guided-policy-gradient.ts", [
    ["direction", "return tf.sub(0, counted", "return tf.add(0, counted"],
    ["weight", "probability.add(shape)", "probability.add(1)"],
    ["weight", "onlyPositive ? gain.relu()", "!onlyPositive ? gain.relu()"],
    ["gradient", "stopGradient(guidedAdvantages)", "guidedAdvantages"],
    ["normalizer", "? { fixedLength } : aggregation", '? "token" : aggregation', aggregation],
  ]),
  ...mutantsOf("sampled-reverse-kl", "losses/sampled/sampled-reverse-kl.ts", [
    ["direction", "logRatio(tokenLogProbs, teacher)", "logRatio(teacher, tokenLogProbs)"],
    ["direction", "logRatio(oldTokenLogProbs, teacher)", "logRatio(teacher, oldTokenLogProbs)"],
    ["normalizer", ".square().mul(0.5)", ".square()"],
    ["weight", ".exp().sub(1).add(difference)", ".exp().add(difference)"],
    ["gradient", "stopGradient(teacherTokenLogProbs)", "teacherTokenLogProbs"],
  ]),
  ...mutantsOf("averages", "ops/masked-sum.ts", [
    ["mask", "tf.where(tf.notEqual(mask, 0), values, tf.zerosLike(values))", "values.mul(1)"],
    ["mask", ".mul(inputs.mask).sum()", ".sum()"],
    ["gradient", "[mask.mul(dy)]", "[tf.onesLike(mask).mul(dy)]"],
  ]),
  ...mutantsOf("averages", "losses/reduce.ts", [
    ["normalizer", "tf.maximum(mask.sum(), 1)", "tf.maximum(mask.size, 1)"],
    ["normalizer", "1 / lengthOf(tokens)", "1"],
    ["normalizer", 'aggregation === "sequence" ? tokens', 'aggregation === "sequence" ? 1'],
    ["weight", "count: sum(tokensPerRow)", "count: sum(counted)"],
  ]),
];
