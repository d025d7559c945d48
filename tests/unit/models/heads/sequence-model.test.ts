import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { candidateCrossEntropy, rankNet } from "../../../../src/losses/index.js";
import {
  addAdapter,
  type ModelConfig,
  parseHeadConfig,
  sequenceInputs,
  type SequenceModel,
  sequenceModelToTensors,
  loadSequenceModel,
  setActiveAdapter,
  withHead,
} from "../../../../src/models/index.js";
import { crossEntropyFromLogits } from "../../../../src/ops/index.js";
import { AdamW } from "../../../../src/optim/index.js";
import { disposeAll, Random, variableGradients } from "../../../../src/tensors/index.js";
import { largestDifference, tinyConfigs, tinyDecoder } from "../tiny-models.js";

const llama = tinyConfigs["llama"] as ModelConfig;
const random = new Random(6);
const padId = 0;

const scorer = (config: ModelConfig = llama, options: object = {}) =>
  withHead(tinyDecoder({ ...config, initializerRange: 0.2 }), { random, ...options });

function scoresOf(model: SequenceModel, rows: readonly number[][]): number[][] {
  return tf.tidy(() => model.forward(sequenceInputs(rows, padId)).arraySync());
}

/** Minimises a mean loss over the scores for some steps; returns first and last loss. */
function train(
  model: SequenceModel,
  rows: readonly number[][],
  lossOf: (scores: tf.Tensor2D) => tf.Tensor,
  steps = 15,
): [number, number] {
  const parameters = model.trainableParameters();
  using optimizer = new AdamW(parameters);
  const inputs = sequenceInputs(rows, padId);
  const one = tf.scalar(1);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const { value, gradients } = variableGradients(
      () => tf.tidy(() => lossOf(model.forward(inputs)).mean() as tf.Scalar),
      [...parameters.values()],
    );
    const named = new Map([...parameters.keys()].map((name, i) => [name, gradients[i]!]));
    optimizer.apply(named, 0.03, one);
    losses.push(value.dataSync()[0] as number);
    disposeAll([value, ...gradients]);
  }
  disposeAll([one, inputs.inputIds, inputs.attentionMask]);
  return [losses[0] as number, losses.at(-1) as number];
}

/** Two queries with three candidates each; the one with a 6 in it is the right one. */
const candidates = [
  [1, 2, 6, 3],
  [1, 2, 4],
  [1, 2, 5, 5, 3],
  [3, 4, 1],
  [3, 4, 6, 2, 2],
  [3, 4, 2],
];
const relevance = [
  [1, 0, 0],
  [0, 1, 0],
];

const asLists = (scores: tf.Tensor2D): Parameters<typeof rankNet>[0] => ({
  studentScores: scores.reshape([2, 3]),
  teacherScores: tf.tensor2d(relevance),
  listMask: tf.ones([2, 3]),
});

describe("trained through its scores", () => {
  test.each([
    ["candidate-cross-entropy", candidateCrossEntropy],
    ["rank-net", rankNet],
  ])("a reranker learns by %s which candidate is right", (_name, loss) => {
    using model = scorer();
    const [first, last] = train(model, candidates, (scores) => loss(asLists(scores)));
    expect(last).toBeLessThan(0.4 * first);
    const scores = scoresOf(model, candidates).flat();
    expect(scores.slice(0, 3).indexOf(Math.max(...scores.slice(0, 3)))).toBe(0);
    expect(scores.slice(3).indexOf(Math.max(...scores.slice(3)))).toBe(1);
  });

  test("a classifier learns by cross-entropy", () => {
    using model = scorer(tinyConfigs["gpt2"], { labels: ["no", "maybe", "yes"] });
    const labels = [2, 0, 1, 0, 2, 1];
    const [first, last] = train(model, candidates, (scores) =>
      crossEntropyFromLogits(scores.expandDims(1), tf.tensor2d(labels, [6, 1], "int32")),
    );
    expect(last).toBeLessThan(0.4 * first);
    const found = scoresOf(model, candidates).map((row) => row.indexOf(Math.max(...row)));
    expect(found).toEqual(labels);
  });

  test("with an adapter, head and adapter alone are trained, and saved together", async () => {
    using model = scorer();
    addAdapter(model.body, "rerank", { rank: 2, random });
    setActiveAdapter(model.body, "rerank");
    const names = [...model.trainableParameters().keys()];
    expect(names.filter((name) => !name.includes("lora_"))).toEqual(["score.weight"]);
    const before = [...model.body.parameters.values()].map((p) => [...p.dataSync()]);
    train(model, candidates, (scores) => rankNet(asLists(scores)));
    expect([...model.body.parameters.values()].map((p) => [...p.dataSync()])).toEqual(before);
    const tensors = await sequenceModelToTensors(model);
    const reader = {
      entries: tensors,
      read: (name: string) => Promise.resolve(tensors.get(name)!.data),
    };
    using loaded = await loadSequenceModel(model.config, model.head, reader, "test");
    const expected = scoresOf(model, candidates);
    expect(largestDifference(scoresOf(loaded, candidates), expected)).toBeLessThan(3e-5);
  });
});

test("a score is that of the last real token, whatever comes after or before", () => {
  using model = scorer(tinyConfigs["qwen3"], { numLabels: 2 });
  const alone = candidates.map((row) => scoresOf(model, [row])[0]);
  expect(largestDifference(scoresOf(model, candidates), alone)).toBeLessThan(2e-5);
  const left = tf.tidy(() => {
    const inputIds = tf.tensor2d([[5, 5, ...(candidates[1] as number[])]], undefined, "int32");
    return model.forward({ inputIds, attentionMask: tf.tensor2d([[0, 0, 1, 1, 1]]) }).arraySync();
  });
  expect(largestDifference(left[0], alone[1])).toBeLessThan(2e-5);
  const whole = tf.tidy(() =>
    model.forward({ inputIds: tf.tensor2d([candidates[0]!], undefined, "int32") }).arraySync(),
  );
  expect(largestDifference(whole[0], alone[0])).toBeLessThan(2e-5);
});

test("an untied head of the language model is released, and its body computes the same", () => {
  const decoder = tinyDecoder(llama);
  const inputs = () => ({ inputIds: tf.tensor2d([[1, 2, 3]], undefined, "int32") });
  const before = tf.tidy(() => decoder.hiddenStates(inputs()).arraySync());
  const names = [...decoder.parameters.keys()];
  expect(names).toContain("lm_head.weight");
  using model = withHead(decoder, { random });
  expect([...model.parameters.keys()]).toEqual([
    ...names.filter((name) => name !== "lm_head.weight"),
    "score.weight",
  ]);
  expect(tf.tidy(() => model.body.hiddenStates(inputs()).arraySync())).toEqual(before);
  const sizes = [...model.parameters.values()].map(({ size }) => size);
  expect(model.numParameters).toBe(sizes.reduce((a, b) => a + b));
});

describe("a mistake is a clear error", () => {
  test.each([
    [{ numLabels: 0 }, /numLabels: is no number of labels/],
    [{ numLabels: 3, labels: ["a", "b"] }, /labels: There are 2 labels for 3 outputs/],
  ])("withHead %j", (options, message) => {
    using decoder = tinyDecoder(llama);
    expect(() => withHead(decoder, { random, ...options })).toThrow(message);
  });

  test.each([
    [[], /There are no rows/],
    [[[1], []], /Row 2 is empty/],
  ])("rows %j", (rows, message) => {
    expect(() => sequenceInputs(rows, padId)).toThrow(message);
  });

  test.each([
    [
      { architectures: ["LlamaForCausalLM"] },
      /architectures: LlamaForCausalLM has no such head.*withHead/,
    ],
    [{ id2label: { 0: "a", 2: "b" } }, /id2label: It has no label for 1/],
    [{ id2label: { 0: "a" }, num_labels: 2 }, /num_labels: It is 2, but id2label has 1 labels/],
    [{ num_labels: "two" }, /num_labels: "two" is no number of labels/],
    [{ architectures: [["x"], 3] }, /architectures: \["x"\], 3 has no such head/],
    [{ problem_type: ["regression"] }, /problem_type: \["regression"\] is not supported/],
    [{ problem_type: "regresion" }, /problem_type: .*Did you mean "regression"/],
  ])("config %j", (json, message) => {
    expect(() => parseHeadConfig(json, "config.json")).toThrow(message);
  });

  test("a head that is missing or of another size", async () => {
    using model = scorer();
    const tensors = await sequenceModelToTensors(model);
    const load = (names: readonly string[], numLabels: number) => {
      const entries = new Map([...tensors].filter(([name]) => names.includes(name)));
      const read = (name: string) => Promise.resolve(tensors.get(name)!.data);
      const head = { numLabels, labels: [], problemType: null };
      return loadSequenceModel(model.config, head, { entries, read }, "model.safetensors");
    };
    const all = [...tensors.keys()];
    await expect(load(all.slice(0, -1), 1)).rejects.toThrow(/score\.weight is missing.*withHead/);
    await expect(load(all, 3)).rejects.toThrow(/score\.weight is \[1, 8\], expected \[3, 8\]/);
    await expect(load(all.slice(1), 1)).rejects.toThrow(/Missing tensors: model\.embed_tokens/);
  });
});

test("an architecture that is lists thousands deep is refused in words of ours", () => {
  const deep = JSON.parse("[".repeat(20_000) + "]".repeat(20_000)) as unknown;
  for (const json of [{ architectures: [deep] }, { problem_type: deep }]) {
    expect(() => parseHeadConfig(json, "config.json")).toThrow(/has no such head|is not supported/);
  }
});
