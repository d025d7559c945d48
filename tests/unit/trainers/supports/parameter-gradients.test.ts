/** Gradients by parameters against all outcomes, one by one, on a model of 5 tokens. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeBatch } from "../../../../src/data/index.js";
import { forwardKl, reverseKl, sampledKl, sparseKl } from "../../../../src/losses/index.js";
import {
  type Decoder,
  initializeDecoder,
  modelConfigSchema,
} from "../../../../src/models/index.js";
import { Random, variableGradients } from "../../../../src/tensors/index.js";
import {
  compareSupports,
  parameterGradients,
  type SupportComparison,
} from "../../../../src/trainers/index.js";

const V = 5;
const config = modelConfigSchema.parse({
  ...{ family: "llama", vocabSize: V, hiddenSize: 4, numLayers: 1, numHeads: 2 },
  ...{ maxPositions: 8, initializerRange: 0.7 },
});
const [first, second] = [
  { ids: [1, 2, 3, 4], completionStart: 1 },
  { ids: [0, 4], completionStart: 1 },
];
const rows = [
  { row: first as NonNullable<typeof first>, positions: [0, 2] },
  { row: second as NonNullable<typeof second>, positions: [0] },
];
const N = 3;
const draws = 30;

let student: Decoder;
let teacher: Float32Array;
let result: SupportComparison;

/** The student's logits at the three positions, `[1, N, V]`. */
function logits(): tf.Tensor3D {
  using batch = makeBatch(
    rows.map(({ row }) => row),
    0,
  );
  const all = student.forward(batch).reshape<tf.Tensor2D>([-1, V]);
  return tf.gather(all, tf.tensor1d([0, 2, batch.sequenceLength], "int32")).expandDims(0);
}

/** By all parameters, of a sum of losses at the positions, by way of the model itself. */
function exactly(loss: (logits: tf.Tensor3D) => tf.Tensor): number[] {
  return tf.tidy(() => {
    const variables = [...student.trainableParameters().values()];
    const { gradients } = variableGradients(() => loss(logits()).sum<tf.Scalar>(), variables);
    return [...tf.concat(gradients.map((gradient) => gradient.flatten())).dataSync()];
  });
}

const given = () => tf.tensor3d(teacher, [1, N, V]);
const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
const minus = (a: readonly number[], b: readonly number[]) => a.map((x, i) => x - (b[i] as number));
const squared = (a: readonly number[]) => dot(a, a);

beforeAll(async () => {
  student = initializeDecoder(config, new Random(1));
  const random = new Random(2);
  teacher = Float32Array.from({ length: N * V }, () => 1.5 * random.normal());
  const own = tf.tidy(() => logits().dataSync<"float32">());
  const models = { student: Float32Array.from(own), teacher, vocabSize: V };
  const toParameters = parameterGradients(student, rows, 0);
  const compare = (k: number, count: number) =>
    compareSupports(models, { ks: [k], draws: count, random: new Random(3), toParameters });
  const [one, all] = [await compare(1, draws), await compare(V, 3)];
  result = { ...one, rows: [...one.rows, ...all.rows] };
});
afterAll(() => student.dispose());

function row(direction: string, way: string, k: number) {
  const found = result.rows.find((r) => r.direction === direction && r.way === way && r.k === k);
  if (found?.parameters === undefined) throw new Error(`There is no row ${direction} ${way} ${k}.`);
  return { ...found, parameters: found.parameters };
}

test("a gradient by logits becomes that of the parameters", async () => {
  const truth = exactly((x) => forwardKl(x, given()));
  const ofLogits = tf.tidy(() => {
    const x = logits();
    return tf
      .grad((y: tf.Tensor) => forwardKl(y as tf.Tensor3D, given()).sum())(x)
      .dataSync<"float32">();
  });
  const found = await parameterGradients(student, rows, 0)(Float32Array.from(ofLogits));
  expect(found).toHaveLength(student.numParameters);
  expect(Math.sqrt(squared(truth))).toBeGreaterThan(0.1);
  expect(Math.sqrt(squared(minus([...found], truth)))).toBeLessThan(1e-5);
});

test.each([
  ["forward", forwardKl],
  ["reverse", reverseKl],
] as const)("%s: bias and cosine of a list are those of its own gradient", (direction, full) => {
  const truth = exactly((x) => full(x, given()));
  const biased = exactly((x) =>
    tf.tidy(() => {
      const logProbs = tf.logSoftmax(given());
      const { values, indices } = tf.topk(logProbs, 1);
      return sparseKl(x, indices as tf.Tensor3D, values as tf.Tensor3D, {
        ...{ direction, support: "tail" },
      });
    }),
  );
  const { biasSquared, variance, cosine } = row(direction, "top-k tail", 1).parameters;
  expect(biasSquared.value).toBeCloseTo(squared(minus(biased, truth)) / squared(truth), 4);
  expect(cosine.value).toBeCloseTo(
    dot(biased, truth) / Math.sqrt(squared(biased) * squared(truth)),
    4,
  );
  expect(variance.value).toBe(0);
  // All tokens are no bias at all.
  expect(row(direction, "top-k tail", V).parameters.biasSquared.value).toBeLessThan(1e-6);
});

test("one draw of the teacher at every position: mean and variance over all outcomes", () => {
  const truth = exactly((x) => forwardKl(x, given()));
  const logProbs = tf.tidy(() => [...tf.logSoftmax(given()).dataSync()]);
  let mean = truth.map(() => 0);
  let spread = 0;
  // Positions are drawn apart: all V^N outcomes together are the distribution of the gradient.
  const outcomes = Array.from({ length: V ** N }, (_, i) =>
    Array.from({ length: N }, (_, n) => Math.floor(i / V ** n) % V),
  );
  const gradients = outcomes.map((ids) => {
    const own = ids.map((id, n) => logProbs[n * V + id] as number);
    const g = exactly((x) =>
      tf.tidy(() =>
        sampledKl(x, tf.tensor3d(ids, [1, N, 1], "int32"), tf.tensor3d(own, [1, N, 1])),
      ),
    );
    return { g, p: Math.exp(own.reduce((sum, x) => sum + x, 0)) };
  });
  for (const { g, p } of gradients) mean = mean.map((x, i) => x + p * (g[i] as number));
  for (const { g, p } of gradients) spread += p * squared(minus(g, mean));
  expect(squared(minus(mean, truth)) / squared(truth)).toBeLessThan(1e-6);
  const { biasSquared, variance } = row("forward", "teacher sampled", 1).parameters;
  expect(Math.abs(biasSquared.value)).toBeLessThan(4 * biasSquared.standardError);
  const expected = spread / squared(truth);
  expect(Math.abs(variance.value - expected)).toBeLessThan(4 * variance.standardError);
  expect(variance.standardError).toBeLessThan(0.6 * expected);
  // Not the figures by the logits under another name.
  expect(row("forward", "teacher sampled", 1).variance.value).not.toBeCloseTo(variance.value, 3);
});
