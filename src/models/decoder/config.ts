import { z } from "zod";
import {
  activations,
  families,
  type Family,
  familyNames,
  mostLayers,
  normalWindows,
} from "../families/index.js";
import { ropeInconsistency, ropeScalingSchema } from "./rope-scaling.js";

const largestSize = 2 ** 24;
const mostPositions = 2 ** 31 - 1;

const size = (largest = largestSize) => z.int().min(1).max(largest);

/**
 * The fields of a decoder's configuration as a user writes them, without the checks across fields:
 * build on this one (`.omit`, `.extend`) and validate with {@link modelConfigSchema}.
 */
export const modelOptionsSchema = z.strictObject({
  family: z.enum(familyNames).describe("Architecture, named as Hugging Face's model_type."),
  vocabSize: size().describe("Number of token ids; the width of the logits."),
  hiddenSize: size().describe(
    "Width of the residual stream; a multiple of numHeads, unless headDim is given.",
  ),
  intermediateSize: size()
    .optional()
    .describe(
      "Width inside the MLP. Default: 4 times hiddenSize (GPT-2), about 8/3 of it (others).",
    ),
  numLayers: size(mostLayers).describe("Number of transformer blocks."),
  numHeads: size().describe("Number of query heads."),
  numKeyValueHeads: size()
    .optional()
    .describe("Number of key/value heads; divides numHeads. Default: numHeads. Not in GPT-2."),
  headDim: size()
    .optional()
    .describe("Width of one head, even for rotary positions. Default: hiddenSize / numHeads."),
  maxPositions: size(mostPositions).describe(
    "Longest sequence in tokens, prompt and completion together.",
  ),
  ropeTheta: z
    .number()
    .positive()
    .default(10_000)
    .describe("Base of the rotary frequencies; unused with learned positions."),
  ropeScaling: ropeScalingSchema
    .nullable()
    .default(null)
    .describe("How rotary positions are stretched beyond the pre-training's; null for not at all."),
  normEpsilon: z
    .number()
    .positive()
    .optional()
    .describe("Added to the variance in the norms. Default: 1e-5 (GPT-2), 1e-6 (others)."),
  tieWordEmbeddings: z
    .boolean()
    .optional()
    .describe("Use the token embedding as the head. Default: true (GPT-2), false (others)."),
  attentionBias: z
    .boolean()
    .optional()
    .describe(
      "Biases in the attention projections. Default: true (GPT-2; Qwen2, but for the output), false (others).",
    ),
  mlpBias: z
    .boolean()
    .optional()
    .describe("Biases in the MLP projections. Default: true (GPT-2), false (others)."),
  activation: z
    .enum(activations)
    .optional()
    .describe("Activation in the MLP. Default: gelu_new (GPT-2), silu (others)."),
  slidingWindow: size(mostPositions)
    .nullable()
    .default(null)
    .describe(
      "A token sees this many tokens, itself included. Default: all. Mistral, Qwen2, Qwen3.",
    ),
  layerTypes: z
    .array(z.enum(["full_attention", "sliding_attention"]))
    .nullable()
    .default(null)
    .describe(
      "Which layers have the slidingWindow, one entry per layer. Default: all. Qwen2, Qwen3.",
    ),
  initializerRange: z
    .number()
    .min(0)
    .default(0.02)
    .describe("Standard deviation of freshly initialised weights."),
  bosTokenId: z.int().nullable().default(null).describe("Id that starts a sequence, if any."),
  eosTokenIds: z.array(z.int()).default([]).describe("Ids that end a sequence."),
  padTokenId: z.int().nullable().default(null).describe("Id written at padded positions, if any."),
});

export type ModelOptions = z.output<typeof modelOptionsSchema>;

/** Fills in what depends on the family and on other fields. */
function completeOptions(options: ModelOptions) {
  const { defaults, biases } = families[options.family] as Family;
  return {
    ...options,
    intermediateSize: options.intermediateSize ?? defaults.intermediateSize(options.hiddenSize),
    numKeyValueHeads: options.numKeyValueHeads ?? options.numHeads,
    headDim: options.headDim ?? options.hiddenSize / options.numHeads,
    normEpsilon: options.normEpsilon ?? defaults.normEpsilon,
    tieWordEmbeddings: options.tieWordEmbeddings ?? defaults.tieWordEmbeddings,
    attentionBias: options.attentionBias ?? (biases.attention[0] as boolean),
    mlpBias: options.mlpBias ?? (biases.mlp[0] as boolean),
    activation: options.activation ?? defaults.activation,
  };
}

/** A complete, consistent configuration of a decoder. */
export type ModelConfig = Readonly<ReturnType<typeof completeOptions>>;

/** What is wrong across fields, one `[path of the field, problem]` each. */
function inconsistencies(config: ModelConfig): [string, string][] {
  const { hiddenSize, numHeads, numKeyValueHeads, headDim, activation } = config;
  const family = families[config.family] as Family;
  const problems: [string, string][] = [];
  const isDivided = hiddenSize % numHeads === 0;
  if (!isDivided && (family.headsDivideHiddenSize || !Number.isInteger(headDim))) {
    problems.push(["numHeads", `${numHeads} heads do not divide hiddenSize ${hiddenSize}.`]);
  } else if (family.position === "rotary" && headDim % 2 !== 0) {
    problems.push(["headDim", `Rotary positions need heads of even width, got ${headDim}.`]);
  }
  if (numHeads % numKeyValueHeads !== 0) {
    problems.push([
      "numKeyValueHeads",
      `${numKeyValueHeads} key/value heads do not divide ${numHeads} query heads.`,
    ]);
  }
  if (!family.separateKeyValueHeads && numKeyValueHeads !== numHeads) {
    problems.push([
      "numKeyValueHeads",
      `The ${config.family} family has one key/value head per query head (${numHeads}), got ${numKeyValueHeads}.`,
    ]);
  }
  if (!family.separateKeyValueHeads && headDim * numHeads !== hiddenSize) {
    problems.push([
      "headDim",
      `The ${config.family} family has heads of hiddenSize / numHeads = ${hiddenSize / numHeads}, got ${headDim}.`,
    ]);
  }
  for (const [field, values, value] of [
    ["attentionBias", family.biases.attention, config.attentionBias],
    ["mlpBias", family.biases.mlp, config.mlpBias],
  ] as const) {
    if (values.includes(value)) continue;
    const always = value ? "never" : "always";
    problems.push([field, `The ${config.family} family ${always} has biases; leave it out.`]);
  }
  const scalingProblem = ropeInconsistency(config);
  if (scalingProblem) problems.push(scalingProblem);
  if (family.position !== "rotary" && config.ropeScaling !== null) {
    problems.push(["ropeScaling", `The ${config.family} family has no rotary positions.`]);
  }
  const { slidingWindow, layerTypes, numLayers } = config;
  const { windows } = family.huggingFace;
  if (slidingWindow !== null && windows === undefined) {
    problems.push([
      "slidingWindow",
      `The ${config.family} family has no sliding window; leave it out.`,
    ]);
  }
  if (layerTypes !== null && layerTypes.length !== numLayers) {
    problems.push(["layerTypes", `${layerTypes.length} entries for ${numLayers} layers.`]);
  }
  if (layerTypes?.includes("sliding_attention") && slidingWindow === null) {
    problems.push(["layerTypes", "Layers with sliding_attention need a slidingWindow."]);
  }
  if (windows?.byLayer === false && normalWindows(config).layerTypes !== null) {
    problems.push([
      "layerTypes",
      `The ${config.family} family has the slidingWindow in all layers or none; leave it out.`,
    ]);
  }
  if (!family.activations.includes(activation)) {
    problems.push([
      "activation",
      `The ${config.family} family has ${family.activations.join(", ")}, got ${activation}.`,
    ]);
  }
  return problems;
}

/** Validates {@link modelOptionsSchema} across fields and fills in the defaults: a {@link ModelConfig}. */
export const modelConfigSchema = modelOptionsSchema
  .superRefine((options, context) => {
    for (const [path, message] of inconsistencies(completeOptions(options))) {
      context.addIssue({ code: "custom", path: path.split("."), message, input: options });
    }
  })
  .transform((options): ModelConfig => {
    const config = completeOptions(options);
    return { ...config, ...normalWindows(config) };
  });
