/**
 * Writes fixtures/cases.json: known values and gradients of the Rényi divergence, in float64 and from its
 * definition in probabilities, so that nothing is shared with the loss that they are to prove:
 * `node examples/custom-loss/golden-cases.mjs`.
 */
import { writeFileSync } from "node:fs";

const configs = [
  {},
  { alpha: 2 },
  { alpha: 0.2, temperature: 1.5 },
  { alpha: 3.5, temperature: 0.7 },
];

// [B, T, V], multiples of 1/8, which float32 holds exactly; asymmetric, as a wrong direction must show.
const studentLogits = [
  [
    [1, 2, 3, 0.5, -1],
    [0, 0.25, -2, 1.5, 0.75],
    [-3, 0.125, 2, 2, -0.5],
  ],
  [
    [2.5, -1, 0, 0, 1],
    [-0.25, 1.75, 0.5, -2.5, 3],
    [0, 0, 0, 0, 4],
  ],
];
const teacherLogits = [
  [
    [3, 1, 0.25, -1, 2],
    [-1, 0.5, 4, 0, 0],
    [1, -2, 0.75, 3, 0.125],
  ],
  [
    [0, 3, -0.5, 1, 1],
    [2, 2, -1, 0.5, -3],
    [5, 0, 1, -1, 0.5],
  ],
];

function softmax(logits, temperature) {
  const powers = logits.map((z) => Math.exp(z / temperature));
  const total = powers.reduce((sum, p) => sum + p, 0);
  return powers.map((p) => p / total);
}

/** D_α(T ‖ S) = log(Σ T^α S^(1−α)) / (α − 1). */
function divergence(student, teacher, { alpha = 0.5, temperature = 1 }) {
  const [s, t] = [softmax(student, temperature), softmax(teacher, temperature)];
  const sum = t.reduce((total, p, v) => total + p ** alpha * s[v] ** (1 - alpha), 0);
  return Math.log(sum) / (alpha - 1);
}

/** By central differences with one step of extrapolation: about ten digits in float64. */
function gradient(student, teacher, config) {
  const slope = (v, h) => {
    const at = (d) =>
      divergence(
        student.map((z, i) => (i === v ? z + d : z)),
        teacher,
        config,
      );
    return (at(h) - at(-h)) / (2 * h);
  };
  return student.map((_, v) => (4 * slope(v, 5e-4) - slope(v, 1e-3)) / 3);
}

const rounded = (x) => Number(x.toPrecision(9));
const perToken = (f, config) =>
  studentLogits.map((row, b) => row.map((logits, t) => f(logits, teacherLogits[b][t], config)));

const cases = configs.map((config) => ({
  loss: "renyi-divergence",
  config,
  inputs: { studentLogits, teacherLogits },
  expected: {
    values: perToken(divergence, config).map((row) => row.map(rounded)),
    gradients: {
      studentLogits: perToken(gradient, config).map((row) => row.map((g) => g.map(rounded))),
    },
  },
}));
const lines = cases.map((golden) => JSON.stringify(golden)).join(",\n");
const madeBy = JSON.stringify("examples/custom-loss/golden-cases.mjs, float64");
writeFileSync(
  new URL("fixtures/cases.json", import.meta.url),
  `{"madeBy": ${madeBy},\n"cases": [\n${lines}\n]}\n`,
);
