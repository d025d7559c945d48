import * as tf from "@tensorflow/tfjs-core";
import { type HiddenLossTerm, lossesFromHidden, type RowLoss } from "../../../../src/ops/index.js";
import type { HiddenLossTensors } from "../../../../src/ops/row-losses/losses-from-hidden.js";
import { settleRowLoss } from "../../../../src/ops/row-losses/row-loss.js";
import { at, fromValues, type NdArray, sizeOf } from "../reference/array.js";
import * as distributions from "../reference/distributions.js";
import { linear } from "../reference/linear.js";
import { input, integers, normals, type OpCase } from "./op-case.js";

interface Term {
  readonly loss: RowLoss;
  /** Row weights, repeated over the rows. */
  readonly weights: readonly number[];
  readonly factor?: number;
}

interface Setting {
  readonly title: string;
  readonly shape: readonly [B: number, T: number, D: number, V: number];
  readonly terms: readonly Term[];
  /** Width of the teacher's hidden states. */
  readonly teacherWidth?: number;
  /** The teacher is given by its logits. */
  readonly teacherLogits?: true;
  readonly chunkBytes?: number;
  /** The factors are tensors. */
  readonly givesFactors?: true;
}

const crossEntropy: RowLoss = { kind: "crossEntropy" };
const forwardKl: RowLoss = { kind: "forwardKl", temperature: 2, scale: 4 };
const jsd: RowLoss = { kind: "generalizedJsd", beta: 0.3, temperature: 1.5 };

const settings: readonly Setting[] = [
  { title: "labels", shape: [2, 3, 4, 7], terms: [{ loss: crossEntropy, weights: [1, 0, 0.5] }] },
  {
    title: "smoothed labels, a chunk per row",
    shape: [2, 3, 4, 7],
    terms: [{ loss: { kind: "crossEntropy", labelSmoothing: 0.2 }, weights: [0, 1], factor: 0.5 }],
    chunkBytes: 1,
  },
  {
    title: "forward KL to a wider teacher, uneven chunks",
    shape: [3, 3, 3, 6],
    terms: [{ loss: forwardKl, weights: [1, 1, 0, 2, 1] }],
    teacherWidth: 5,
    chunkBytes: 2 * 4 * 6 * 4,
  },
  {
    title: "reverse KL",
    shape: [1, 4, 5, 9],
    terms: [{ loss: { kind: "reverseKl" }, weights: [1], factor: -2 }],
  },
  { title: "JSD", shape: [2, 2, 3, 5], terms: [{ loss: jsd, weights: [1, 3] }], chunkBytes: 100 },
  {
    title: "JSD at its ends",
    shape: [2, 2, 3, 5],
    terms: [
      { loss: { kind: "generalizedJsd", beta: 0 }, weights: [1, 1, 0, 1] },
      { loss: { kind: "generalizedJsd", beta: 1, normalized: true }, weights: [1] },
    ],
  },
  {
    title: "three terms on different rows, in chunks",
    shape: [2, 3, 4, 10],
    terms: [
      { loss: crossEntropy, weights: [1, 0, 0], factor: 0.25 },
      { loss: forwardKl, weights: [0, 1, 1] },
      { loss: { ...jsd, normalized: true }, weights: [0, 1, 0], factor: 2 },
    ],
    teacherWidth: 6,
    chunkBytes: 2 * 5 * 10 * 4,
  },
  {
    title: "a teacher's logits",
    shape: [2, 3, 4, 7],
    terms: [{ loss: forwardKl, weights: [1, 2] }],
    teacherLogits: true,
    chunkBytes: 2 * 4 * 7 * 2,
  },
  {
    title: "some of a teacher's logits",
    shape: [2, 3, 4, 7],
    terms: [
      { loss: crossEntropy, weights: [1, 1, 0] },
      { loss: jsd, weights: [0, 1, 0] },
    ],
    teacherLogits: true,
    chunkBytes: 2 * 4 * 7 * 3,
  },
  {
    title: "factors that are data",
    shape: [2, 3, 4, 10],
    terms: [
      { loss: crossEntropy, weights: [1, 0, 2], factor: 0.25 },
      { loss: forwardKl, weights: [0, 1, 1] },
      { loss: jsd, weights: [0, 1, 0], factor: -2 },
    ],
    chunkBytes: 2 * 5 * 10 * 4,
    givesFactors: true,
  },
  { title: "one row", shape: [1, 1, 6, 13], terms: [{ loss: forwardKl, weights: [1] }] },
  { title: "no rows", shape: [2, 0, 3, 4], terms: [{ loss: crossEntropy, weights: [1] }] },
  { title: "no row that counts", shape: [1, 3, 3, 4], terms: [{ loss: jsd, weights: [0] }] },
  { title: "one word", shape: [1, 3, 3, 1], terms: [{ loss: forwardKl, weights: [1] }] },
];

/** The value of one row of a term, in float64. */
function rowValues(term: Term, inputs: Readonly<Record<string, NdArray>>): NdArray {
  const loss = settleRowLoss(term.loss);
  const head = (x: string, w: string) =>
    linear(input(inputs, x), input(inputs, w), undefined, "out-in");
  const student = head("studentHidden", "studentHead");
  if (loss.kind === "crossEntropy") {
    return distributions.crossEntropy(student, input(inputs, "labels"), loss.labelSmoothing);
  }
  const { beta, normalized, temperature } = loss;
  const divergences = {
    forwardKl: distributions.forwardKl,
    reverseKl: distributions.reverseKl,
    generalizedJsd: distributions.generalizedJsd(beta, normalized),
  };
  const teacher = inputs["teacherLogits"] ?? head("teacherHidden", "teacherHead");
  return distributions.perToken(divergences[loss.kind], student, teacher, temperature);
}

function expected(terms: readonly Term[], inputs: Readonly<Record<string, NdArray>>): NdArray {
  let total = 0;
  for (const [i, term] of terms.entries()) {
    const weights = input(inputs, `weights${i}`);
    const factor = (term.factor ?? 1) * (term.loss.scale ?? 1);
    const values = rowValues(term, inputs);
    for (let row = 0; row < weights.data.length; row++) {
      total += factor * at(weights, row) * at(values, row);
    }
  }
  return fromValues([], [total]);
}

function hiddenCase(setting: Setting): OpCase {
  const { title, shape, terms, teacherWidth = 3, teacherLogits = false, chunkBytes } = setting;
  const { givesFactors = false } = setting;
  const [B, T, D, V] = shape;
  const kinds = new Set(terms.map(({ loss }) => loss.kind));
  const readsLabels = kinds.has("crossEntropy");
  const readsTeacher = kinds.size > 1 || !readsLabels;
  const rows = sizeOf([B, T]);
  const weights = terms.map((term, i): [string, NdArray] => {
    const repeated = Array.from({ length: rows }, (_, r) => term.weights[r % term.weights.length]);
    return [`weights${i}`, fromValues([B, T], repeated as number[])];
  });
  const factors = terms.map(({ factor = 1 }, i): [string, NdArray] => {
    return [`factor${i}`, fromValues([], [factor])];
  });
  const teacher: Record<string, NdArray> = teacherLogits
    ? { teacherLogits: normals([B, T, V], "teacher logits") }
    : {
        teacherHidden: normals([B, T, teacherWidth], "teacher hidden"),
        teacherHead: normals([V, teacherWidth], "teacher head"),
      };
  const attributes = {
    terms: terms.map(({ loss, factor = 1 }) => {
      return { ...settleRowLoss(loss), factor: givesFactors ? 1 : factor };
    }),
    gradient: "none",
    chunkBytes: 0,
  } as const;
  return {
    op: "lossesFromHidden",
    title: `${title} [${shape}]`,
    inputs: {
      studentHidden: normals([B, T, D], "hidden"),
      studentHead: normals([V, D], "head"),
      ...(readsTeacher && teacher),
      ...(readsLabels && { labels: integers([B, T], "labels", V) }),
      ...Object.fromEntries(weights),
      ...(givesFactors && Object.fromEntries(factors)),
    },
    int32: ["labels"],
    differentiable: ["studentHidden", "studentHead"],
    constants: [...(readsTeacher ? Object.keys(teacher) : []), "weights0"],
    run(t) {
      const named = terms.map(({ loss, factor: number = 1 }, i): HiddenLossTerm => {
        const factor = (t[`factor${i}`] as tf.Scalar | undefined) ?? number;
        return { loss, factor, rowWeights: t[`weights${i}`] as tf.Tensor2D };
      });
      const of = (hidden: string, head: string) => ({
        hidden: t[hidden] as tf.Tensor3D,
        head: t[head] as tf.Tensor2D,
      });
      const given = {
        student: of("studentHidden", "studentHead"),
        ...(readsTeacher && {
          teacher: teacherLogits
            ? { logits: t["teacherLogits"] as tf.Tensor3D }
            : of("teacherHidden", "teacherHead"),
        }),
        ...(readsLabels && { labels: t["labels"] as tf.Tensor2D }),
      };
      const options = chunkBytes === undefined ? {} : { chunkBytes };
      const { total, sums } = lossesFromHidden(given, named, options);
      sums.dispose();
      return total;
    },
    composed: (t) => {
      const stacked = givesFactors && {
        factors: tf.stack(factors.map(([name]) => t[name] as tf.Tensor)),
      };
      const inputs = { ...t, ...stacked } as unknown as HiddenLossTensors;
      return lossesFromHidden.definition.reference(inputs, attributes);
    },
    expected: (inputs) => expected(terms, inputs),
  };
}

export const hiddenCases: readonly OpCase[] = settings.map(hiddenCase);
