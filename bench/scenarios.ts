/** A student and a batch: sizes of the training step. Llama, four heads, no biases, untied head. */
export interface Scenario {
  readonly numLayers: number;
  readonly hiddenSize: number;
  readonly vocabSize: number;
  readonly batchSize: number;
  readonly sequenceLength: number;
}

export const scenarios = {
  small: { numLayers: 4, hiddenSize: 128, vocabSize: 512, batchSize: 16, sequenceLength: 64 },
  medium: { numLayers: 4, hiddenSize: 256, vocabSize: 4096, batchSize: 8, sequenceLength: 128 },
  "large-vocabulary": {
    numLayers: 2,
    hiddenSize: 128,
    vocabSize: 32000,
    batchSize: 4,
    sequenceLength: 64,
  },
} as const satisfies Record<string, Scenario>;
export type ScenarioName = keyof typeof scenarios;
export const scenarioNames = Object.keys(scenarios) as ScenarioName[];

/** Optimizer settings of every contestant. */
export const optimization = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  weightDecay: 0.01,
  maxGradNorm: 1,
  /** PyTorch's fastest AdamW, not its default. */
  fused: true,
} as const;

/** Sampled completions: of the small scenario's student, at temperature 1, without an end id. */
export const generation = { rows: 16, promptLength: 8, newTokens: 64 } as const;

/**
 * What the memory of a loss is measured on: rows of hidden states, student and teacher of one width,
 * under heads for these vocabularies.
 */
export const lossPartSizes = {
  rows: 2048,
  hiddenSize: 256,
  vocabularies: [32000, 128000],
  losses: ["cross-entropy", "forward-kl", "reverse-kl", "generalized-jsd"],
} as const;

export const matmulSizes = [64, 128, 256, 512, 1024] as const;
/** A·B, Aᵀ·B, A·Bᵀ of square matrices: forward pass, weight gradient, input gradient or `x Wᵀ`. */
export const matmulVariants = ["nn", "tn", "nt"] as const;
export type MatmulVariant = (typeof matmulVariants)[number];

export const maxPositions = 256;

/** Fields of a student's configuration; the same are read by the PyTorch side. */
export function modelOptions(name: ScenarioName) {
  const { numLayers, hiddenSize, vocabSize } = scenarios[name];
  const intermediateSize = 8 * Math.ceil(hiddenSize / 3);
  const sizes = { numLayers, hiddenSize, vocabSize, intermediateSize };
  return { family: "llama", numHeads: 4, maxPositions, ...sizes } as const;
}

/** Weights that every token is multiplied by; the embedding is looked up. */
function matrixWeights(name: ScenarioName): number {
  const { numLayers, hiddenSize, vocabSize } = scenarios[name];
  const { intermediateSize } = modelOptions(name);
  const block = 4 * hiddenSize ** 2 + 3 * hiddenSize * intermediateSize;
  return numLayers * block + hiddenSize * vocabSize;
}

/**
 * Floating-point operations of all matrix products in one training step: two for each weight and
 * token, and twice that in the backward pass; attention the same way, over half of all keys.
 */
export function stepFlops(name: ScenarioName): number {
  const { numLayers, hiddenSize, batchSize, sequenceLength } = scenarios[name];
  const attention = numLayers * 2 * hiddenSize * (sequenceLength / 2);
  return 6 * batchSize * sequenceLength * (matrixWeights(name) + attention);
}

/** The same for all sampled tokens, without attention. */
export function generationFlops(): number {
  return 2 * generation.rows * generation.newTokens * matrixWeights("small");
}
