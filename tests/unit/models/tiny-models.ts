import * as tf from "@tensorflow/tfjs-core";
import {
  type Decoder,
  initializeDecoder,
  type ModelConfig,
  modelConfigSchema,
} from "../../../src/models/index.js";
import { Random } from "../../../src/tensors/index.js";

const sizes = { vocabSize: 7, hiddenSize: 8, numLayers: 2, numHeads: 4, maxPositions: 12 };
// Far from initialisation, so that every term of the forward pass shows in the logits.
const initializerRange = 0.5;

/** One small configuration per way in which decoders differ. */
export const tinyConfigs: Readonly<Record<string, ModelConfig>> = {
  llama: modelConfigSchema.parse({
    ...sizes,
    family: "llama",
    numKeyValueHeads: 2,
    initializerRange,
  }),
  "llama, tied, biased, wide heads": modelConfigSchema.parse({
    ...sizes,
    family: "llama",
    numKeyValueHeads: 1,
    headDim: 6,
    intermediateSize: 5,
    tieWordEmbeddings: true,
    attentionBias: true,
    mlpBias: true,
    ropeTheta: 100,
    initializerRange,
  }),
  "llama, yarn": modelConfigSchema.parse({
    ...sizes,
    family: "llama",
    headDim: 8,
    numKeyValueHeads: 2,
    ropeScaling: {
      type: "yarn",
      factor: 3,
      originalMaxPositions: 4,
      betaFast: 0.4,
      betaSlow: 0.05,
    },
    initializerRange,
  }),
  "mistral, llama3": modelConfigSchema.parse({
    ...sizes,
    family: "mistral",
    headDim: 4,
    ropeScaling: {
      type: "llama3",
      factor: 4,
      lowFrequencyFactor: 0.1,
      highFrequencyFactor: 0.5,
      originalMaxPositions: 3,
    },
    initializerRange,
  }),
  qwen2: modelConfigSchema.parse({
    ...sizes,
    family: "qwen2",
    numKeyValueHeads: 1,
    tieWordEmbeddings: true,
    initializerRange,
  }),
  // Heads that do not divide the hidden size.
  qwen3: modelConfigSchema.parse({
    ...sizes,
    family: "qwen3",
    hiddenSize: 7,
    numKeyValueHeads: 2,
    headDim: 6,
    initializerRange,
  }),
  gpt2: modelConfigSchema.parse({ ...sizes, family: "gpt2", initializerRange }),
  "gpt2, untied, exact GELU": modelConfigSchema.parse({
    ...sizes,
    family: "gpt2",
    intermediateSize: 6,
    tieWordEmbeddings: false,
    activation: "gelu",
    initializerRange,
  }),
};

/** Families whose layers differ in it. */
export const windowedQwens: Readonly<Record<string, ModelConfig>> = {
  "qwen2, window of 3 in the last layer": modelConfigSchema.parse({
    ...tinyConfigs["qwen2"],
    slidingWindow: 3,
    layerTypes: ["full_attention", "sliding_attention"],
  }),
  "qwen3, window of 2 in the first layer": modelConfigSchema.parse({
    ...tinyConfigs["qwen3"],
    slidingWindow: 2,
    layerTypes: ["sliding_attention", "full_attention"],
  }),
};

/** Decoders with a sliding window, in every layer or in one of two. */
export const windowedConfigs: Readonly<Record<string, ModelConfig>> = {
  ...windowedQwens,
  "llama, window of 3": { ...(tinyConfigs["llama"] as ModelConfig), slidingWindow: 3 },
  "gpt2, window of 2 in one layer": {
    ...(tinyConfigs["gpt2"] as ModelConfig),
    slidingWindow: 2,
    layerTypes: ["full_attention", "sliding_attention"],
  },
};

/** A decoder whose biases and norms are random too. */
export function tinyDecoder(config: ModelConfig, seed = 1): Decoder {
  const decoder = initializeDecoder(config, new Random(seed));
  for (const [name, parameter] of decoder.parameters) {
    if (parameter.rank > 1) continue;
    const random = new Random(seed).stream("noise", name);
    const noise = Float32Array.from({ length: parameter.size }, () => 0.3 * random.normal());
    tf.tidy(() => parameter.assign(parameter.add(tf.tensor(noise, parameter.shape))));
  }
  return decoder;
}

/** Logits of the rows given, as nested arrays; with a mask where one is given. */
export function logitsOf(decoder: Decoder, rows: number[][], mask?: number[][]): number[][][] {
  return tf.tidy(() => {
    const inputIds = tf.tensor2d(rows, undefined, "int32");
    const attentionMask = mask ? { attentionMask: tf.tensor2d(mask) } : {};
    return decoder.forward({ inputIds, ...attentionMask }).arraySync();
  });
}

/** Largest absolute difference between two equally nested lists of numbers. */
export function largestDifference(actual: unknown, expected: unknown): number {
  if (typeof actual === "number" && typeof expected === "number")
    return Math.abs(actual - expected);
  const [a, b] = [actual, expected] as [unknown[], unknown[]];
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return a.reduce<number>((most, x, i) => Math.max(most, largestDifference(x, b[i])), 0);
}
