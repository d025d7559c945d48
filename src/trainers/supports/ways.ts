import type * as tf from "@tensorflow/tfjs-core";
import {
  generalizedForwardKl,
  generalizedReverseKl,
  sampledKl,
  sampledReverseKl,
  sparseKl,
  type SparseSupport,
  studentSupportKl,
} from "../../losses/index.js";
import { selectedLogProbs } from "../../ops/index.js";
import type { Random } from "../../tensors/index.js";
import {
  type ChosenTokens,
  drawnTokens,
  likeliestAndTail,
  likeliestTokens,
  type SupportPositions,
} from "./draws.js";

/** Which gradient a way stands for: that of KL(teacher ‖ student) or of KL(student ‖ teacher). */
export type KlDirection = "forward" | "reverse";

/** A way of saying little about a distribution, and the loss that is made of it. */
export interface SupportWay {
  readonly name: string;
  readonly direction: KlDirection;
  /** What it is, in a few words for the table. */
  readonly summary: string;
  /** Whether another draw gives another gradient. */
  readonly isDrawn: boolean;
  choose(positions: SupportPositions, k: number, random: Random): ChosenTokens;
  /** `[1, N]`, of student's logits `[1, N, V]`. */
  loss(inputs: SupportInputs): tf.Tensor;
}

export interface SupportInputs {
  readonly studentLogits: tf.Tensor3D;
  /** `[1, N, K]` int32 */
  readonly tokenIds: tf.Tensor3D;
  /** `[1, N, K]` */
  readonly teacherLogProbs: tf.Tensor3D;
  /** `[1, N, K]` */
  readonly expectedCounts: tf.Tensor3D;
}

const supports: readonly (readonly [SparseSupport, string])[] = [
  ["raw", "as they are"],
  ["renormalized", "both divided by their sum"],
  ["teacher-renormalized", "the teacher's divided by their sum"],
  ["tail", "the rest as one bucket"],
];
const chooseTop: SupportWay["choose"] = (positions, k) =>
  likeliestTokens(positions, positions.teacherLogProbs, k);

function topWays(direction: KlDirection): SupportWay[] {
  return [
    ...supports.map(
      ([support, how]): SupportWay => ({
        name: `top-k ${support}`,
        ...{ direction, summary: `teacher's top k, ${how}`, isDrawn: false, choose: chooseTop },
        loss: ({ studentLogits, tokenIds, teacherLogProbs }) =>
          sparseKl(studentLogits, tokenIds, teacherLogProbs, { direction, support }),
      }),
    ),
    {
      name: `top-k generalized`,
      ...{ direction, summary: "generalized KL on the teacher's top k as they are" },
      ...{ isDrawn: false, choose: chooseTop },
      loss: ({ studentLogits, tokenIds, teacherLogProbs }) =>
        (direction === "forward" ? generalizedForwardKl : generalizedReverseKl)(
          studentLogits,
          tokenIds,
          teacherLogProbs,
        ),
    },
  ];
}

/** Means over k tokens that the student drew, of an estimator of one token. */
function tokenWay(
  name: string,
  summary: string,
  estimate: (student: tf.Tensor2D, teacher: tf.Tensor2D) => tf.Tensor,
): SupportWay {
  return {
    ...{ name, summary, direction: "reverse", isDrawn: true },
    choose: (positions, k, random) => drawnTokens(positions, positions.studentLogProbs, k, random),
    loss: ({ studentLogits, tokenIds, teacherLogProbs }) => {
      const [, N, K] = tokenIds.shape;
      const student = selectedLogProbs(studentLogits, tokenIds).reshape<tf.Tensor2D>([N, K]);
      return estimate(student, teacherLogProbs.reshape([N, K])).mean(-1);
    },
  };
}

/** Everything that the table compares. */
export const supportWays: readonly SupportWay[] = [
  ...topWays("forward"),
  {
    name: "teacher sampled",
    ...{ direction: "forward", summary: "k draws from the teacher (sampled-kl)", isDrawn: true },
    choose: (positions, k, random) => drawnTokens(positions, positions.teacherLogProbs, k, random),
    loss: ({ studentLogits, tokenIds, teacherLogProbs }) =>
      sampledKl(studentLogits, tokenIds, teacherLogProbs),
  },
  ...topWays("reverse"),
  {
    name: "student top-k + tail",
    direction: "reverse",
    summary: "student's top k and one draw from the rest of its distribution",
    isDrawn: true,
    choose: likeliestAndTail,
    loss: studentSupportKl,
  },
  tokenWay("tokens k1 as a loss", "k draws of the student, log S − log T differentiated", (s, t) =>
    s.sub(t),
  ),
  tokenWay("tokens k1 as advantage", "the same as a reward of a policy gradient", (s, t) =>
    sampledReverseKl(s, t, { estimator: "policy-gradient" }),
  ),
  tokenWay("tokens k2", "k draws of the student, (log S − log T)²/2", (s, t) =>
    sampledReverseKl(s, t, { estimator: "k2" }),
  ),
  tokenWay("tokens k3", "k draws of the student, T/S − 1 + log S − log T", (s, t) =>
    sampledReverseKl(s, t, { estimator: "k3-forward-gradient" }),
  ),
];
