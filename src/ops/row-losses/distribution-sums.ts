import * as tf from "@tensorflow/tfjs-core";
import { assertShape } from "../../tensors/index.js";
import { defineKernel } from "../define.js";
import { distributionStatisticNames, distributionStatistics } from "./distribution-statistics.js";
import type { DivergenceInputs } from "./divergence.js";

type Inputs = DivergenceInputs & { rows: tf.Tensor1D };

const run = defineKernel<Inputs, object>(
  "PupilDistributionSums",
  ({ studentLogits, teacherLogits, rows }) => {
    const places = tf.relu(rows);
    const at = (logits: tf.Tensor) => tf.gather(logits, places) as tf.Tensor2D;
    const statistics = distributionStatistics(at(studentLogits), at(teacherLogits));
    const isCounted = rows.greaterEqual(0).expandDims(1);
    return tf.unstack(tf.where(isCounted, statistics, tf.zerosLike(statistics)).sum(0));
  },
);

/**
 * The sums of {@link distributionStatistics} over some rows of logits, by name. Without gradient.
 *
 * @param studentLogits `[M, V]`
 * @param teacherLogits `[M, V]`
 * @param rows `[N]` int32, each below M; −1 in the place of one stands for none
 */
export function distributionSums(
  studentLogits: tf.Tensor2D,
  teacherLogits: tf.Tensor2D,
  rows: tf.Tensor1D,
): Record<(typeof distributionStatisticNames)[number], tf.Scalar> {
  const inputs = { studentLogits, teacherLogits, rows };
  assertShape(inputs, { studentLogits: "M V", teacherLogits: "M V", rows: "N" });
  const sums = run(inputs, {});
  return Object.fromEntries(distributionStatisticNames.map((name, i) => [name, sums[i]])) as Record<
    (typeof distributionStatisticNames)[number],
    tf.Scalar
  >;
}
