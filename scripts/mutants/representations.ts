import { type Mutant, mutantsOf } from "./mutant.js";

const distances = "losses/distances.ts";
const masked = "losses/masked.ts";

export const representationMutants: readonly Mutant[] = [
  ...mutantsOf("hidden-state", "losses/representations/hidden-state.ts", [
    ["direction", "tf.sub(1, cosineSimilarity", "tf.add(1, cosineSimilarity"],
    ["weight", "standardDeviation(teacher)", "standardDeviation(student)"],
    ["weight", "normalize ? unitVectors(target) : target", "target"],
    ["normalizer", "distances[metric](scaled).mean(-1)", "distances[metric](scaled).sum(-1)"],
    ["normalizer", "centered.square().mean(-1, true)", "centered.square().sum(-1, true)"],
    ["normalizer", "x.square().mul(0.5)", "x.square()", distances],
    ["normalizer", "absolute(x).sub(0.5)", "absolute(x)", distances],
    ["gradient", "stopGradient(teacherHiddenStates)", "teacherHiddenStates"],
    ["gradient", "x.relu().add(x.neg().relu())", "x.abs()", distances],
  ]),
  ...mutantsOf("attention-relation", "losses/representations/attention-relation.ts", [
    [
      "direction",
      "teacher.mul(logOf(teacher).sub(logOf(studentAttentions)))",
      "studentAttentions.mul(logOf(studentAttentions).sub(logOf(teacher)))",
    ],
    ["normalizer", ".mean(1)", ".sum(1)"],
    ["normalizer", "perKey.sum(-1)", "perKey.mean(-1)"],
    ["gradient", "stopGradient(teacherAttentions)", "teacherAttentions"],
  ]),
  ...mutantsOf("neuron-selectivity", "losses/representations/neuron-selectivity.ts", [
    ["direction", "tf.matMul(a, b, true, false)", "tf.matMul(a, b, false, true)"],
    [
      "direction",
      ".sub(meanKernel(student, teacher).mul(2))",
      ".add(meanKernel(student, teacher).mul(2))",
    ],
    ["weight", "meanKernel(student, teacher).mul(2)", "meanKernel(student, teacher)"],
    ["weight", "p < degree", "p < 2"],
    ["mask", "keepMasked(states, positionMask.expandDims(2))", "states"],
    ["normalizer", "power.mean([1, 2])", "power.sum([1, 2])"],
    ["normalizer", "unitVectors(counted, 1)", "unitVectors(counted)"],
    ["gradient", "stopGradient(teacherHiddenStates)", "teacherHiddenStates"],
  ]),
  ...mutantsOf("in-batch-contrastive", "losses/representations/in-batch-contrastive.ts", [
    ["direction", ".logSumExp(-1).sub(partner)", ".logSumExp(-1).add(partner)"],
    [
      "direction",
      "similarities(teacher, student, counts)",
      "similarities(teacher, teacher, counts)",
    ],
    ["temperature", "sum(-1).div(temperature)", "sum(-1)"],
    ["temperature", "false, true).div(temperature)", "false, true)"],
    ["mask", "counts.mul(others)", "counts"],
    [
      "mask",
      "stopGradient(positionMask).transpose().expandDims(1)",
      "tf.onesLike(positionMask).transpose().expandDims(1)",
    ],
    ["mask", "keepMasked(x, mask).sum(-1).div", "x.sum(-1).div", masked],
    ["weight", "fromStudent.add(fromTeacher).mul(0.5)", "fromStudent.add(fromTeacher)"],
    ["normalizer", "unitVectors(counted)", "counted"],
    ["gradient", "stopGradient(teacherHiddenStates)", "teacherHiddenStates"],
  ]),
  ...mutantsOf("kv-match", "losses/representations/kv-match.ts", [
    ["weight", "keys.add(values)", "keys"],
    ["weight", "power === 1 ?", "power === 2 ?"],
    ["normalizer", ".div(2)", ""],
    ["normalizer", ".mean<tf.Tensor2D>(1)", ".sum<tf.Tensor2D>(1)"],
    ["normalizer", "perPosition.mean(1)", "perPosition.sum(1)"],
    ["mask", "meanOfMasked(perPosition, mask)", "perPosition.mean(1)"],
    ["normalizer", "perEntry.sum(-1)", "perEntry.mean(-1)"],
    ["gradient", "stopGradient(teacher)", "teacher"],
  ]),
];
