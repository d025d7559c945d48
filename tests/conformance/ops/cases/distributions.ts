import type * as tf from "@tensorflow/tfjs-core";
import {
  crossEntropyFromLogits,
  forwardKlFromLogits,
  generalizedJsdFromLogits,
  logProbsFromLogits,
  reverseKlFromLogits,
  selectedLogProbs,
} from "../../../../src/ops/index.js";
import { fromValues, type NdArray } from "../reference/array.js";
import * as reference from "../reference/distributions.js";
import { input, integers, normals, type OpCase } from "./op-case.js";

/** A pair of logits, each `[B, T, V]`. */
interface Pair {
  readonly title: string;
  readonly student: NdArray;
  readonly teacher: NdArray;
}

const masked = -1e9;
const pairs: readonly Pair[] = [
  { title: "[2,3,5]", student: normals([2, 3, 5], "s", 2), teacher: normals([2, 3, 5], "t", 2) },
  { title: "[1,1,17]", student: normals([1, 1, 17], "s"), teacher: normals([1, 1, 17], "t") },
  { title: "one word", student: normals([1, 2, 1], "s"), teacher: normals([1, 2, 1], "t") },
  {
    title: "a one-hot teacher",
    student: normals([1, 1, 4], "s"),
    teacher: fromValues([1, 1, 4], [0, 200, 0, 0]),
  },
  {
    title: "the same words masked in both",
    student: fromValues([1, 1, 5], [1, masked, 0.5, masked, 0]),
    teacher: fromValues([1, 1, 5], [0, masked, 1.5, masked, -1]),
  },
  {
    title: "logits of ±10000, agreeing",
    student: fromValues([1, 2, 3], [10000, -10000, 9998, -10000, 10000, 9999]),
    teacher: fromValues([1, 2, 3], [10000, -10000, 9999, -10000, 9999, 10000]),
  },
  {
    title: "logits of ±10000, disagreeing",
    student: fromValues([1, 2, 3], [10000, -10000, 0, 10000, 0, -10000]),
    teacher: fromValues([1, 2, 3], [-10000, 10000, 0, 9999, 0, -10000]),
  },
];

type LogitTensors = { studentLogits: tf.Tensor3D; teacherLogits: tf.Tensor3D };

function divergenceCase(
  op: string,
  pair: Pair,
  setting: string,
  temperature: number,
  divergence: reference.Divergence,
  functions: { run(t: LogitTensors): tf.Tensor; composed(t: LogitTensors): tf.Tensor },
): OpCase {
  return {
    op,
    title: `${pair.title}, ${setting}temperature ${temperature}`,
    inputs: { studentLogits: pair.student, teacherLogits: pair.teacher },
    differentiable: ["studentLogits"],
    constants: ["teacherLogits"],
    run: (t) => functions.run(t as LogitTensors),
    composed: (t) => functions.composed(t as LogitTensors),
    expected: (i) =>
      reference.perToken(
        divergence,
        input(i, "studentLogits"),
        input(i, "teacherLogits"),
        temperature,
      ),
  };
}

const klCases = pairs.flatMap((pair) =>
  [1, 0.5, 3].flatMap((temperature) => [
    divergenceCase("forwardKlFromLogits", pair, "", temperature, reference.forwardKl, {
      run: (t) => forwardKlFromLogits(t.studentLogits, t.teacherLogits, { temperature }),
      composed: (t) => forwardKlFromLogits.definition.reference(t, { temperature }),
    }),
    divergenceCase("reverseKlFromLogits", pair, "", temperature, reference.reverseKl, {
      run: (t) => reverseKlFromLogits(t.studentLogits, t.teacherLogits, { temperature }),
      composed: (t) => reverseKlFromLogits.definition.reference(t, { temperature }),
    }),
  ]),
);

const jsdSettings = [
  { beta: 0.5, normalized: false, temperature: 1 },
  { beta: 0.1, normalized: false, temperature: 2 },
  { beta: 0.9, normalized: true, temperature: 0.5 },
  { beta: 0.01, normalized: true, temperature: 1 },
];

const jsdCases = pairs.flatMap((pair) =>
  jsdSettings.map((options) => {
    const { beta, normalized, temperature } = options;
    const setting = `beta ${beta}${normalized ? " normalized" : ""}, `;
    const divergence = reference.generalizedJsd(beta, normalized);
    const op = "generalizedJsdFromLogits";
    const plain = divergenceCase(op, pair, setting, temperature, divergence, {
      run: (t) => generalizedJsdFromLogits(t.studentLogits, t.teacherLogits, options),
      composed: (t) => generalizedJsdFromLogits.definition.reference(t, options),
    });
    // The definition subtracts nearly equal logarithms; the kernel does not.
    return { ...plain, composedAbsolute: normalized ? 2e-5 : 1e-6 };
  }),
);

type LabelTensors = { logits: tf.Tensor3D; labels: tf.Tensor2D };

const crossEntropyCases = pairs.flatMap((pair) =>
  // Smoothing gives masked words a share of the target: a loss near 1e8, which says nothing.
  (pair.title.includes("masked") ? [0] : [0, 0.1]).map((labelSmoothing): OpCase => {
    const [B, T, V] = pair.student.shape as [number, number, number];
    return {
      op: "crossEntropyFromLogits",
      title: `${pair.title}, label smoothing ${labelSmoothing}`,
      inputs: { logits: pair.student, labels: integers([B, T], "labels", V) },
      int32: ["labels"],
      differentiable: ["logits"],
      run: (t) => {
        const { logits, labels } = t as LabelTensors;
        return crossEntropyFromLogits(logits, labels, { labelSmoothing });
      },
      composed: (t) =>
        crossEntropyFromLogits.definition.reference(t as LabelTensors, { labelSmoothing }),
      expected: (i) =>
        reference.crossEntropy(input(i, "logits"), input(i, "labels"), labelSmoothing),
    };
  }),
);

// Central differences of a sum that contains −1e9 say nothing.
const plainPairs = pairs.filter(({ title }) => !title.includes("masked"));
const logProbCases = plainPairs.flatMap(({ title, student }) =>
  [1, 0.5].flatMap((temperature): OpCase[] => {
    const [B, T, V] = student.shape as [number, number, number];
    const setting = `${title}, temperature ${temperature}`;
    return [
      {
        op: "logProbsFromLogits",
        title: setting,
        inputs: { logits: student },
        differentiable: ["logits"],
        run: (t) => logProbsFromLogits(t["logits"] as tf.Tensor3D, { temperature }),
        composed: (t) =>
          logProbsFromLogits.definition.reference(t as { logits: tf.Tensor3D }, { temperature }),
        expected: (i) => reference.logProbs(input(i, "logits"), temperature),
      },
      {
        op: "selectedLogProbs",
        title: setting,
        // Independent draws, so that an id occurs twice at some positions.
        inputs: { logits: student, ids: integers([B, T, 3], "ids", V) },
        int32: ["ids"],
        differentiable: ["logits"],
        constants: [],
        run: (t) => {
          const { logits, ids } = t as { logits: tf.Tensor3D; ids: tf.Tensor3D };
          return selectedLogProbs(logits, ids, { temperature });
        },
        composed: (t) =>
          selectedLogProbs.definition.reference(t as { logits: tf.Tensor; ids: tf.Tensor }, {
            temperature,
          }),
        expected: (i) =>
          reference.selectedLogProbs(input(i, "logits"), input(i, "ids"), temperature),
      },
    ];
  }),
);

export const distributionCases: readonly OpCase[] = [
  ...klCases,
  ...jsdCases,
  ...crossEntropyCases,
  ...logProbCases,
];
