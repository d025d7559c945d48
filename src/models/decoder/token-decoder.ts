import type * as tf from "@tensorflow/tfjs-core";
import {
  type DecodeAttributes,
  type DecoderWeights,
  decodeToken,
  namedWeights,
  packWeights,
  sampleAhead,
} from "../../ops/index.js";
import { disposeAll, keepTensor } from "../../tensors/index.js";
import type { TokenDecoder } from "./cache.js";
import { activationKinds, type LayerContext, projectionWeight } from "./layers.js";
import type { AffineSpec, BlockSpec, DecoderLayout } from "./layout.js";
import { defaultPositionIds } from "./positions.js";
import type { ModelInputs } from "./types.js";
import { slidingWindows } from "./sliding-window.js";
import { ropeFrequencies } from "./rope-scaling.js";

/**
 * Copies a decoder's weights, with what its adapter adds to them, into the form in which one kernel
 * reads them all.
 */
export function makeTokenDecoder(context: LayerContext, layout: DecoderLayout): TokenDecoder {
  const packed: (tf.Tensor | undefined)[] = [];
  const weights = namedWeights(decoderWeights(context, layout, packed));
  const attributes = decodeAttributes(context, layout);
  const positionsOf = ({ inputIds, attentionMask, positionIds }: ModelInputs, length: number) =>
    positionIds ?? defaultPositionIds(inputIds, attentionMask, length);
  return {
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
    [Symbol.dispose]: () => disposeAll(packed),
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

function decoderWeights(
  context: LayerContext,
  layout: DecoderLayout,
  packed: (tf.Tensor | undefined)[],
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
  const pack = (...args: Parameters<typeof packWeights>) => {
    const { weight, bias } = packWeights(...args);
    packed.push(keepTensor(weight), bias && keepTensor(bias));
    return { weight, ...(bias && { bias }) };
  };
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
    blocks: layout.blocks.map((block) => ({
      attentionNorm: norm(block.attentionNorm),
      attentionInputs: pack(attentionInputs(block), weightLayout),
      ...(block.queryNorm && { queryNorm: norm(block.queryNorm) }),
      ...(block.keyNorm && { keyNorm: norm(block.keyNorm) }),
      attentionOutput: pack([affine(block.attentionOutput)], weightLayout),
      mlpNorm: norm(block.mlpNorm),
      mlpInputs: pack(block.mlpInputs.map(affine), weightLayout, block.mlpInputs.length === 2),
      mlpOutput: pack([affine(block.mlpOutput)], weightLayout),
    })),
    finalNorm: norm(layout.finalNorm),
    head: pack([{ weight: context.parameter<tf.Rank.R2>(layout.head) }], "out-in"),
  };
}
