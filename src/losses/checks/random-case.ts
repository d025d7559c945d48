import { Random } from "../../tensors/index.js";
import { type LossInput, lossInputFacts } from "../inputs.js";
import { type LossArray, type LossCase, sizeOf } from "./case.js";

/** Sizes of the axes by their letters in {@link lossInputs}. */
export type CaseSizes = Readonly<Record<string, number>>;

export const smallSizes: CaseSizes = { B: 3, T: 3, V: 5, K: 3, P: 4, Q: 3, N: 4, D: 4, H: 2 };

interface Draw {
  readonly random: Random;
  readonly shape: readonly number[];
  readonly sizes: CaseSizes;
}

/**
 * Seeded inputs of a loss: asymmetric, the teacher more certain than the student, rows of unequal
 * length, and inputs that belong together agreeing with each other.
 */
export function randomCase(
  inputs: readonly LossInput[],
  seed: number,
  sizes: CaseSizes = smallSizes,
): LossCase {
  const all = { ...smallSizes, ...sizes };
  const random = new Random(seed);
  return Object.fromEntries(
    inputs.map((input): [LossInput, LossArray] => {
      const { shape: letters, dtype } = lossInputFacts(input);
      const shape = letters.split(" ").map((letter) => sizeOfAxis(letter, all));
      const drawn = samplers[input]({ random, shape, sizes: all });
      return [
        input,
        { shape, data: dtype === "int32" ? Int32Array.from(drawn) : Float32Array.from(drawn) },
      ];
    }),
  );
}

function sizeOfAxis(letter: string, sizes: CaseSizes): number {
  const size = sizes[letter] as number;
  return letter === "K" ? Math.min(size, sizes["V"] as number) : size;
}

const normals =
  (name: string, scale: number, mean = 0) =>
  ({ random, shape }: Draw): number[] => {
    const stream = random.stream(name);
    return Array.from({ length: sizeOf(shape) }, () => mean + scale * stream.normal());
  };

const logProbs = (name: string) => (draw: Draw) =>
  normals(name, 1)(draw).map((x) => -0.05 - Math.abs(x));

/**
 * 1 for the first entries of every row, as many as the row is long: at least `least`, and in the last
 * row fewer than all, so that something is masked.
 */
const prefixMask =
  (name: string, least = 1) =>
  ({ random, shape: [rows = 0, width = 0] }: Draw): number[] => {
    const stream = random.stream(name);
    const lengths = Array.from({ length: rows }, () => least + stream.integer(width));
    const longest = (row: number) => (row === rows - 1 ? Math.max(1, width - 1) : width);
    return lengths.flatMap((length, row) =>
      Array.from({ length: width }, (_, t) => Number(t < Math.min(length, longest(row)))),
    );
  };

const probabilities = (name: string, scale: number) => (draw: Draw) => {
  const width = draw.shape[draw.shape.length - 1] as number;
  const scores = normals(name, scale)(draw).map(Math.exp);
  return scores.map((score, i) => {
    const start = i - (i % width);
    return score / scores.slice(start, start + width).reduce((a, b) => a + b, 0);
  });
};

/** The teacher's likeliest tokens at every position, `[id, log-probability]`, likeliest first. */
function likeliest({ random, shape: [B = 0, T = 0, K = 0], sizes }: Draw): [number, number][] {
  const V = sizes["V"] as number;
  const probs = probabilities("teacherLogits", 1.5)({ random, shape: [B, T, V], sizes });
  return Array.from({ length: B * T }, (_, position) => {
    const row = probs.slice(position * V, (position + 1) * V);
    const order = row.map((p, id): [number, number] => [id, Math.log(p)]);
    return order.sort((a, b) => b[1] - a[1]).slice(0, K);
  }).flat();
}

const samplers: Readonly<Record<LossInput, (draw: Draw) => number[]>> = {
  studentLogits: normals("studentLogits", 1),
  teacherLogits: normals("teacherLogits", 1.5),
  labels: ({ random, shape, sizes }) => {
    const stream = random.stream("labels");
    return Array.from({ length: sizeOf(shape) }, () => stream.integer(sizes["V"] as number));
  },
  teacherTokenIds: (draw) => likeliest(draw).map(([id]) => id),
  teacherTopLogProbs: (draw) => likeliest(draw).map(([, logProb]) => logProb),
  teacherSampleLogProbs: (draw) => {
    const shift = normals("teacherSampleLogProbs", 0.3)(draw);
    return likeliest(draw).map(([, logProb], i) => logProb + (shift[i] as number));
  },
  tokenLogProbs: logProbs("tokenLogProbs"),
  oldTokenLogProbs: (draw) => {
    const shift = normals("oldTokenLogProbs", 0.2)(draw);
    return logProbs("tokenLogProbs")(draw).map((x, i) => x + (shift[i] as number));
  },
  teacherTokenLogProbs: logProbs("teacherTokenLogProbs"),
  advantages: normals("advantages", 1),
  guidedAdvantages: normals("guidedAdvantages", 1),
  positiveTokenLogProbs: logProbs("positiveTokenLogProbs"),
  positiveMask: prefixMask("positiveMask"),
  negativeTokenLogProbs: logProbs("negativeTokenLogProbs"),
  negativeMask: prefixMask("negativeMask"),
  referencePositiveTokenLogProbs: logProbs("referencePositiveTokenLogProbs"),
  referenceNegativeTokenLogProbs: logProbs("referenceNegativeTokenLogProbs"),
  anchorStates: normals("anchorStates", 1),
  positiveStates: normals("positiveStates", 1),
  negativeStates: normals("negativeStates", 1),
  counterfactualAnchorStates: normals("counterfactualAnchorStates", 1),
  unchangedStates: normals("unchangedStates", 1),
  counterfactualUnchangedStates: normals("counterfactualUnchangedStates", 1),
  studentScores: normals("studentScores", 1),
  teacherScores: normals("teacherScores", 1.5),
  // Two candidates at least: a list of one has no order.
  listMask: prefixMask("listMask", 2),
  studentHiddenStates: normals("studentHiddenStates", 1),
  teacherHiddenStates: normals("teacherHiddenStates", 1.5),
  positionMask: prefixMask("positionMask"),
  studentAttentions: probabilities("studentAttentions", 0.3),
  teacherAttentions: probabilities("teacherAttentions", 1.5),
  studentKeys: normals("studentKeys", 1),
  studentValues: normals("studentValues", 1),
  teacherKeys: normals("teacherKeys", 1.5),
  teacherValues: normals("teacherValues", 1.5),
};
