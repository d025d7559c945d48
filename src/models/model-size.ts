import type { ModelConfig } from "./config.js";
import { type AffineSpec, decoderLayout, type ParameterSpec, parameterSpecs } from "./layout.js";

export const parameterGroups = ["embedding", "attention", "mlp", "norms", "head"] as const;
export type ParameterGroup = (typeof parameterGroups)[number];

/** What a model weighs, from its configuration alone. */
export interface ModelSize {
  /** Numbers of parameters. A tied head has none of its own. */
  readonly groups: Readonly<Record<ParameterGroup, number>>;
  readonly numParameters: number;
  /** Bytes of weights in float32, as they are in memory. */
  readonly weightBytes: number;
  /** Bytes of AdamW's two moments for all parameters. */
  readonly optimizerBytes: number;
  /** Bytes of keys and values of one token of one sequence. */
  readonly cacheBytesPerToken: number;
}

export function modelSize(config: ModelConfig): ModelSize {
  const layout = decoderLayout(config);
  const affine = (...specs: (AffineSpec | undefined)[]) =>
    specs.flatMap((spec) => [spec?.weight, spec?.bias]);
  const { blocks } = layout;
  const members: Record<ParameterGroup, (ParameterSpec | undefined)[]> = {
    embedding: [layout.tokenEmbedding, layout.positionEmbedding],
    attention: blocks.flatMap((b) => affine(...b.attentionInputs, b.attentionOutput)),
    mlp: blocks.flatMap((b) => affine(...b.mlpInputs, b.mlpOutput)),
    norms: [
      ...blocks.flatMap((b) => affine(b.attentionNorm, b.queryNorm, b.keyNorm, b.mlpNorm)),
      ...affine(layout.finalNorm),
    ],
    head: layout.head === layout.tokenEmbedding ? [] : [layout.head],
  };
  const groups = Object.fromEntries(
    parameterGroups.map((group) => [group, countParameters(members[group])]),
  ) as Record<ParameterGroup, number>;
  const numParameters = countParameters(parameterSpecs(layout));
  const { numLayers, numKeyValueHeads, headDim } = config;
  return {
    groups,
    numParameters,
    weightBytes: 4 * numParameters,
    optimizerBytes: 8 * numParameters,
    cacheBytesPerToken: 4 * 2 * numLayers * numKeyValueHeads * headDim,
  };
}

function countParameters(specs: readonly (ParameterSpec | undefined)[]): number {
  const size = (spec: ParameterSpec) => spec.shape.reduce((a, b) => a * b, 1);
  return specs.reduce((sum, spec) => sum + (spec ? size(spec) : 0), 0);
}
