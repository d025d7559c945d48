import type { ModelConfig } from "./config.js";
import { type AffineSpec, decoderLayout, type ParameterSpec } from "./layout.js";

/** Parameters of a decoder by what they belong to; tied embeddings count once, as embedding. */
export interface ParameterGroups {
  readonly embedding: number;
  readonly attention: number;
  readonly mlp: number;
  readonly norms: number;
  readonly head: number;
}

/** Counts the parameters that a configuration has, without making them. */
export function parameterGroups(config: ModelConfig): ParameterGroups {
  const layout = decoderLayout(config);
  const { tokenEmbedding, positionEmbedding, blocks, finalNorm, head } = layout;
  const count = (specs: readonly (ParameterSpec | undefined)[]) =>
    specs.reduce((sum, spec) => sum + (spec?.shape.reduce((a, b) => a * b, 1) ?? 0), 0);
  const affine = (specs: readonly (AffineSpec | undefined)[]) =>
    count(specs.flatMap((spec) => [spec?.weight, spec?.bias]));
  return {
    embedding: count([tokenEmbedding, positionEmbedding]),
    attention: affine(blocks.flatMap((block) => [...block.attentionInputs, block.attentionOutput])),
    mlp: affine(blocks.flatMap((block) => [...block.mlpInputs, block.mlpOutput])),
    norms: affine([
      ...blocks.flatMap(({ attentionNorm, queryNorm, keyNorm, mlpNorm }) => [
        ...[attentionNorm, queryNorm, keyNorm, mlpNorm],
      ]),
      finalNorm,
    ]),
    head: head === tokenEmbedding ? 0 : count([head]),
  };
}

/** Bytes of keys and values per cached token and row, in float32. */
export function cacheBytesPerToken(config: ModelConfig): number {
  return 4 * 2 * config.numLayers * config.numKeyValueHeads * config.headDim;
}
