import * as tf from "@tensorflow/tfjs-core";
import { lossesFromHidden } from "../../ops/index.js";
import { keepTensor, readValues } from "../../tensors/index.js";
import { inputsOf } from "../combine.js";
import { evaluateCase, tensorsOf } from "./case.js";
import { compare, type LossCheck } from "./check.js";
import { randomCase } from "./random-case.js";

/** Logits as hidden states: the head is the identity. */
const rowLosses: LossCheck = {
  name: "is the sum of the row losses that it says it is",
  applies: ({ rowLosses }) => rowLosses !== undefined,
  run: async (loss) => {
    const { definition, config } = loss;
    const values = randomCase(inputsOf(definition), 1);
    const [B, T, size] = values.studentLogits?.shape as [number, number, number];
    // Uneven, with a row of 0.
    const weights = Float32Array.from({ length: B * T }, (_, i) => i % 3);
    const expected = await evaluateCase(loss, values, weights);
    let kept: tf.Tensor | undefined;
    const gradient = tf.tidy(() => {
      const { studentLogits, teacherLogits, labels } = tensorsOf(values);
      const rowWeights = tf.tensor2d(weights, [B, T]);
      const terms = definition.rowLosses?.(config) ?? [];
      const given = {
        ...(teacherLogits && { teacher: { logits: teacherLogits } }),
        ...(labels && { labels }),
      };
      const differentiate = tf.grad((hidden) => {
        const { total } = lossesFromHidden(
          { student: { hidden: hidden as tf.Tensor3D, head: tf.eye(size) }, ...given },
          terms.map((term) => ({ loss: term, rowWeights })),
        );
        kept = keepTensor(total.clone());
        return total;
      });
      return differentiate(studentLogits);
    });
    const total = await readValues(kept as tf.Tensor, "float32");
    const found = await readValues(gradient, "float32");
    const { data } = expected.values;
    const sum = Array.from(data, (v, i) => v * (weights[i] as number)).reduce((a, b) => a + b, 0);
    const wanted = expected.gradients.get("studentLogits") as Float32Array;
    const bounds = { absolute: 1e-5, relative: 1e-5 };
    return [
      ...compare("weighted sum", total, [sum], bounds),
      ...compare("gradient of studentLogits", found, wanted, bounds),
    ];
  },
};

export const rowLossChecks: readonly LossCheck[] = [rowLosses];
