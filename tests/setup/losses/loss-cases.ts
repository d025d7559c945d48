import * as tf from "@tensorflow/tfjs-core";
import type { LossDefinition, LossInputs } from "../../../src/losses/index.js";
import { Random } from "../../../src/tensors/index.js";

/** Loss inputs as plain numbers, so that tests can change single entries. */
export interface LossValues {
  readonly shape: [batch: number, length: number, vocab: number];
  readonly studentLogits: Float32Array;
  readonly teacherLogits: Float32Array;
  readonly labels: Int32Array;
}

/** Seeded normal logits, the teacher's more peaked than the student's. */
export function randomLossValues(seed: number, shape: LossValues["shape"] = [2, 3, 5]): LossValues {
  const random = new Random(seed);
  const [B, T, V] = shape;
  const normals = (name: string, scale: number) => {
    const stream = random.stream(name);
    return Float32Array.from({ length: B * T * V }, () => scale * stream.normal());
  };
  const labels = random.stream("labels");
  return {
    shape,
    studentLogits: normals("student", 1),
    teacherLogits: normals("teacher", 1.5),
    labels: Int32Array.from({ length: B * T }, () => labels.integer(V)),
  };
}

function toTensors(values: LossValues) {
  const { shape, studentLogits, teacherLogits, labels } = values;
  return {
    studentLogits: tf.tensor3d(studentLogits, shape),
    teacherLogits: tf.tensor3d(teacherLogits, shape),
    labels: tf.tensor2d(labels, [shape[0], shape[1]], "int32"),
  };
}

export type Evaluate = (
  inputs: Pick<LossInputs, "studentLogits" | "teacherLogits" | "labels">,
) => tf.Tensor2D;

/** A definition at one configuration. */
export function evaluator(definition: LossDefinition, options: object): Evaluate {
  const config = definition.config.parse(options);
  return (inputs) => definition.evaluate(inputs as LossInputs, config) as tf.Tensor2D;
}

/** Per-token values, flattened. */
export function lossValues(evaluate: Evaluate, values: LossValues): Float32Array {
  return tf.tidy(() => evaluate(toTensors(values)).dataSync<"float32">()).slice();
}

/** Gradient of Σ weight · value (weights 1 by default) with respect to both logits. */
export function lossGradients(
  evaluate: Evaluate,
  values: LossValues,
  reduce: (perToken: tf.Tensor2D) => tf.Scalar = (perToken) => perToken.sum(),
): { student: Float32Array; teacher: Float32Array } {
  return tf.tidy(() => {
    const { labels, ...logits } = toTensors(values);
    const gradients = tf.grads((studentLogits, teacherLogits) => {
      const inputs = { studentLogits, teacherLogits, labels } as LossInputs;
      // Autodiff refuses an input that is not used; a loss may not need the teacher.
      return reduce(evaluate(inputs)).add(teacherLogits?.sum().mul(0) ?? 0) as tf.Scalar;
    })([logits.studentLogits, logits.teacherLogits]);
    const [student, teacher] = gradients.map((g) => g.dataSync<"float32">().slice());
    return { student: student as Float32Array, teacher: teacher as Float32Array };
  });
}
