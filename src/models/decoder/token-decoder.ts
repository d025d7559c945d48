import * as tf from "@tensorflow/tfjs-core";
import {
  type DecodeAttributes,
  type DecoderWeights,
  decodeToken,
  namedWeights,
  type PackedWeights,
  packWeights,
  sampleAhead,
} from "../../ops/index.js";
import { disposeAll, keepTensor, recorded } from "../../tensors/index.js";
import type { TokenDecoder } from "./cache.js";
import { activationKinds, type LayerContext, projectionWeight } from "./layers.js";
import type { AffineSpec, BlockSpec, DecoderLayout } from "./layout.js";
import { defaultPositionIds } from "./positions.js";
import type { LanguageModel, ModelInputs } from "./types.js";
import { slidingWindows } from "./sliding-window.js";
import { ropeFrequencies } from "./rope-scaling.js";

/**
 * Copies a decoder's weights, with what its adapter adds to them, into the form in which one kernel
 * reads them all.
 *
 * @param owner whose `weights` they are
 */
export function makeTokenDecoder(
  context: LayerContext,
  layout: DecoderLayout,
  owner: LanguageModel & { weights(): readonly tf.Tensor[] },
): TokenDecoder {
  const packing = () => ({ owner, name: "packing", key: "packing", reads: owner.weights() });
  const { tensors: packed } = recorded(packing, () => ({
    tensors: packedWeights(context, layout),
    facts: undefined,
  }));
  for (const tensor of Object.values(packed)) keepTensor(tensor);
  const weights = namedWeights(
    decoderWeights(context, layout, (name) => {
      const bias = packed[`${name}.bias`] as tf.Tensor1D | undefined;
      return { weight: packed[`${name}.weight`] as tf.Tensor1D, ...(bias && { bias }) };
    }),
  );
  const attributes = decodeAttributes(context, layout);
  const positionsOf = ({ inputIds, attentionMask, positionIds }: ModelInputs, length: number) =>
    positionIds ?? defaultPositionIds(inputIds, attentionMask, length);
  return {
    packed: Object.values(packed),
    decode: (inputs, { keys, values, length }) => {
      const { inputIds, attentionMask } = inputs;
      const mask = attentionMask ? { attentionMask } : {};
      const read = { inputIds, positionIds: positionsOf(inputs, length), ...mask };
      return decodeToken({ ...read, weights, keys, values }, length, attributes);
    },
    sample: (inputs, { keys, values, length }, settings, logits) => {
      const numBefore = logits ? length - (inputs.inputIds.shape[1] as number) : length;
      const positionIds = positionsOf(inputs, numBefore);
      const all = { ...inputs, positionIds, weights, keys, values, ...(logits && { logits }) };
      return sampleAhead(all, length, { ...attributes, ...settings });
    },
    [Symbol.dispose]: () => disposeAll(Object.values(packed)),
  };
}

function decodeAttributes({ config }: LayerContext, layout: DecoderLayout): DecodeAttributes {
  const { numHeads, numKeyValueHeads, headDim, intermediateSize, vocabSize } = config;
  return {
    ...{ numHeads, numKeyValueHeads, headDim, intermediateSize, vocabSize },
    epsilon: config.normEpsilon,
    slidingWindows: slidingWindows(config),
    ...(layout.positionEmbedding ? {} : { rotary: ropeFrequencies(config) }),
    gated: layout.blocks[0]?.mlpInputs.length === 2,
    activation: activationKinds[config.activation],
  };
}

/** The arguments of `packWeights`. */
type Packing = () => Parameters<typeof packWeights>;

/** By name, what is packed; made in one scope, which sums of adapters do not leave. */
function packedWeights(context: LayerContext, layout: DecoderLayout): Record<string, tf.Tensor> {
  return tf.tidy(() => {
    const packed: Record<string, tf.Tensor> = {};
    decoderWeights(context, layout, (name, packing) => {
      const weights = packWeights(...packing());
      packed[`${name}.weight`] = weights.weight;
      if (weights.bias) packed[`${name}.bias`] = weights.bias;
      return weights;
    });
    return packed;
  });
}

/** @param pack makes what is packed, or has it by name */
function decoderWeights(
  context: LayerContext,
  layout: DecoderLayout,
  pack: (name: string, packing: Packing) => PackedWeights,
): DecoderWeights {
  const { numHeads, numKeyValueHeads, headDim } = context.config;
  const biasOf = ({ bias }: AffineSpec) => bias && { bias: context.parameter<tf.Rank.R1>(bias) };
  const affine = (spec: AffineSpec) => ({
    weight: projectionWeight(context, spec.weight),
    ...biasOf(spec),
  });
  const norm = (spec: AffineSpec) => ({
    weight: context.parameter<tf.Rank.R1>(spec.weight),
    ...biasOf(spec),
  });
  const { weightLayout } = context.family;
  const widths = [numHeads, numKeyValueHeads, numKeyValueHeads].map((heads) => heads * headDim);
  const attentionInputs = ({ attentionInputs: specs }: BlockSpec) => {
    const [fused] = specs;
    if (specs.length > 1 || fused === undefined) return specs.map(affine);
    // One projection with the three side by side.
    let start = 0;
    return widths.map((columns) => {
      const part = { ...affine(fused), start, columns };
      start += columns;
      return part;
    });
  };
  return {
    tokenEmbedding: context.parameter<tf.Rank.R2>(layout.tokenEmbedding),
    ...(layout.positionEmbedding && {
      positionEmbedding: context.parameter<tf.Rank.R2>(layout.positionEmbedding),
    }),
    blocks: layout.blocks.map((block, i) => ({
      attentionNorm: norm(block.attentionNorm),
      attentionInputs: pack(`${i}.attentionInputs`, () => [attentionInputs(block), weightLayout]),
      ...(block.queryNorm && { queryNorm: norm(block.queryNorm) }),
      ...(block.keyNorm && { keyNorm: norm(block.keyNorm) }),
      attentionOutput: pack(`${i}.attentionOutput`, () => [
        [affine(block.attentionOutput)],
        weightLayout,
      ]),
      mlpNorm: norm(block.mlpNorm),
      mlpInputs: pack(`${i}.mlpInputs`, () => [
        block.mlpInputs.map(affine),
        weightLayout,
        block.mlpInputs.length === 2,
      ]),
      mlpOutput: pack(`${i}.mlpOutput`, () => [[affine(block.mlpOutput)], weightLayout]),
    })),
    finalNorm: norm(layout.finalNorm),
    head: pack("head", () => [[{ weight: context.parameter<tf.Rank.R2>(layout.head) }], "out-in"]),
  };
}
