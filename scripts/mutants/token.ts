import { type Mutant, mutantsOf } from "./mutant.js";

const aggregation = "losses/aggregation.ts";
const forwardOp = "ops/row-losses/forward-kl-from-logits.ts";
const reverseOp = "ops/row-losses/reverse-kl-from-logits.ts";
const jsdOp = "ops/row-losses/generalized-jsd-from-logits.ts";
const crossEntropyOp = "ops/row-losses/cross-entropy-from-logits.ts";
const shared = "ops/row-losses/divergence.ts";
const squared = "losses/temperature.ts";

export const tokenMutants: readonly Mutant[] = [
  ...mutantsOf("cross-entropy", "losses/token/cross-entropy.ts", [
    ["weight", "labels, { labelSmoothing });", "labels, { labelSmoothing: 0 });"],
    ["normalizer", "shifted.mean(-1)", "shifted.sum(-1)", crossEntropyOp],
    ["direction", "minusLogTotal.add(target).neg()", "minusLogTotal.add(target)", crossEntropyOp],
    [
      "gradient",
      "tf.softmax(logits).sub(target).mul(dy",
      "target.sub(tf.softmax(logits)).mul(dy",
      crossEntropyOp,
    ],
  ]),
  ...mutantsOf("forward-kl", "losses/token/forward-kl.ts", [
    [
      "direction",
      "FromLogits(studentLogits, teacherLogits,",
      "FromLogits(teacherLogits, studentLogits,",
    ],
    ["direction", "klOf(teacher, student.logProbs)", "klOf(student, teacher.logProbs)", forwardOp],
    ["temperature", "teacherLogits, { temperature })", "teacherLogits, { temperature: 1 })"],
    ["temperature", "perToken, temperature * temperature", "perToken, temperature", squared],
    ["gradient", "mul(dy.div(temperature).expandDims", "mul(dy.expandDims", forwardOp],
    ["mask", "whereLikely(p.probabilities, p.logProbs.sub(logQ))", "p.logProbs.sub(logQ)", shared],
    ["gradient", "student.sub(teacher).mul(dy", "teacher.sub(student).mul(dy", forwardOp],
  ]),
  ...mutantsOf("reverse-kl", "losses/token/reverse-kl.ts", [
    [
      "direction",
      "FromLogits(studentLogits, teacherLogits,",
      "FromLogits(teacherLogits, studentLogits,",
    ],
    ["direction", "klOf(student, teacher.logProbs)", "klOf(teacher, student.logProbs)", reverseOp],
    ["mask", "mul(whereLikely(student, difference))", "mul(difference)", reverseOp],
    [
      "mask",
      "mul(whereLikely(weighted.abs(), difference.sub(kl)))",
      "mul(difference.sub(kl))",
      reverseOp,
    ],
    ["temperature", "teacherLogits, { temperature })", "teacherLogits, { temperature: 1 })"],
    ["temperature", "perToken, temperature * temperature", "perToken, temperature", squared],
  ]),
  ...mutantsOf("symmetric-kl", "losses/token/symmetric-kl.ts", [
    ["direction", "= reverseKl(", "= forwardKl("],
    [
      "weight",
      "forward.mul(forwardWeight).add(reverse.mul(1 - forwardWeight))",
      "reverse.mul(forwardWeight).add(forward.mul(1 - forwardWeight))",
    ],
    [
      "temperature",
      "= reverseKl(studentLogits, teacherLogits, temperature)",
      "= reverseKl(studentLogits, teacherLogits)",
    ],
    ["normalizer", "reverse.mul(1 - forwardWeight)", "reverse.mul(1)"],
    ["mask", "if (forwardWeight === 1)", "if (forwardWeight === 2)"],
    ["mask", "if (forwardWeight === 0)", "if (forwardWeight === 2)"],
  ]),
  ...mutantsOf("generalized-jsd", "losses/token/generalized-jsd.ts", [
    [
      "direction",
      "FromLogits(studentLogits, teacherLogits,",
      "FromLogits(teacherLogits, studentLogits,",
    ],
    [
      "weight",
      "= { temperature, beta, normalized }",
      "= { temperature, beta: 1 - beta, normalized }",
    ],
    [
      "temperature",
      "= { temperature, beta, normalized }",
      "= { temperature: 1, beta, normalized }",
    ],
    [
      "normalizer",
      "= { temperature, beta, normalized }",
      "= { temperature, beta, normalized: false }",
    ],
    ["normalizer", "1 / (beta * (1 - beta))", "1 / beta", jsdOp],
    ["gradient", "normalizer(attributes) * (1 - beta)", "normalizer(attributes) * beta", jsdOp],
  ]),
  ...mutantsOf("skew-kl", "losses/token/skew-kl.ts", [
    ["direction", 'direction === "forward"\n        ?', 'direction !== "forward"\n        ?'],
    ["weight", "Math.log((1 - alpha) / alpha)", "Math.log(alpha / (1 - alpha))"],
    [
      "temperature",
      "stopGradient(teacherLogits), { temperature })",
      "stopGradient(teacherLogits))",
    ],
    ["temperature", "scaleByTemperature(divergence, options)", "divergence"],
    ["normalizer", "tf.softplus(odds).add(Math.log(alpha))", "tf.softplus(odds)"],
    ["gradient", "detach ? stopGradient(logP) : logP", "logP"],
    [
      "mask",
      "= finiteLogProbs(logProbsFromLogits(studentLogits,",
      "= (logProbsFromLogits(studentLogits,",
    ],
    ["mask", "const teacher = finiteLogProbs(", "const teacher = tf.clone("],
  ]),
  ...mutantsOf("adaptive-kl", "losses/token/adaptive-kl.ts", [
    ["direction", "= reverseKl(", "= forwardKl("],
    ["weight", "weightedBy(forward, forwardWeight)", "weightedBy(reverse, forwardWeight)"],
    ["weight", "before.less(headMass)", "before.less(1 - headMass)"],
    [
      "temperature",
      "logProbsFromLogits(studentLogits, { temperature })",
      "logProbsFromLogits(studentLogits)",
    ],
    ["mask", "gaps.mul(headOf(teacher, headMass))", "gaps.mul(1)"],
    ["normalizer", "headGap.div(gaps.sum(-1)", "headGap.div(gaps.mean(-1)"],
    ["gradient", "= stopGradient(headGap.div(", "= tf.clone(headGap.div("],
  ]),
  ...mutantsOf("taid", "losses/token/taid.ts", [
    ["weight", "a.mul(1 - t).add(b.mul(t))", "a.mul(t).add(b.mul(1 - t))"],
    ["direction", "forwardKl(studentLogits, target,", "forwardKl(target, studentLogits,"],
    ["temperature", "target, temperature)", "target)"],
    ["direction", "(previousLoss - loss)", "(loss - previousLoss)"],
    [
      "weight",
      "momentum * improvement + (1 - momentum)",
      "(1 - momentum) * improvement + momentum",
    ],
    ["weight", "Math.max(line, stepped)", "Math.min(line, stepped)"],
    ["normalizer", "* (1 - interpolation)", "* 1"],
  ]),
  ...mutantsOf("total-variation", "losses/token/total-variation.ts", [
    ["normalizer", ".sum(-1).mul(0.5)", ".sum(-1)"],
    [
      "temperature",
      "stopGradient(teacherLogits), { temperature })",
      "stopGradient(teacherLogits))",
    ],
    ["temperature", "scaleByTemperature(distance as tf.Tensor2D, options)", "distance"],
    ["gradient", "stopGradient(difference.sign())", "stopGradient(difference.sign().neg())"],
  ]),
  ...mutantsOf("logit-mse", "losses/token/logit-mse.ts", [
    ["temperature", ".div(temperature)", ""],
    ["normalizer", "compared.square().mean(-1)", "compared.square().sum(-1)"],
    ["weight", "center ? gap.sub(", "!center ? gap.sub("],
    ["gradient", "stopGradient(teacherLogits)", "teacherLogits"],
    ["mask", "tf.where(ruledOut, tf.zerosLike(studentLogits), centered)", "centered"],
  ]),
  ...mutantsOf("universal-logit", "losses/token/universal-logit.ts", [
    [
      "temperature",
      "logProbsFromLogits(studentLogits, { temperature })",
      "logProbsFromLogits(studentLogits)",
    ],
    [
      "normalizer",
      "const distance = student.mul(signOfToken).sum(-1)",
      "const distance = student.mul(signOfToken).mean(-1)",
    ],
    [
      "direction",
      "tf.topk(teacher, W, true).values",
      "tf.topk(teacher, W, true).values.reverse(-1)",
    ],
    ["mask", "[0, missing]", "[missing, 0]"],
  ]),
  ...mutantsOf("negative-entropy", "losses/token/negative-entropy.ts", [
    ["direction", "(logProbs)).sum(-1)", "(logProbs)).neg().sum(-1)"],
    ["weight", "logProbs.exp().mul(", "tf.onesLike(logProbs).mul("],
    ["normalizer", "(logProbs)).sum(-1)", "(logProbs)).mean(-1)"],
    ["normalizer", "? { fixedLength } : aggregation", '? "token" : aggregation', aggregation],
  ]),
];
