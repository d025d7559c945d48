import type { ModelConfig } from "./config.js";
import { families, type Family } from "../families/index.js";

/** One parameter: its Hugging Face name, its shape in Hugging Face layout, how it starts. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** Every entry this number, or normal with this standard deviation. */
  readonly initial: { readonly constant: number } | { readonly normal: number };
}

/** A weight with its bias, if it has one: a linear projection or a norm. */
export interface AffineSpec {
  readonly weight: ParameterSpec;
  readonly bias?: ParameterSpec;
}

export interface BlockSpec {
  readonly attentionNorm: AffineSpec;
  /** Query, key and value, or one projection with the three side by side. */
  readonly attentionInputs: readonly AffineSpec[];
  /** Of every head of query and key, `[headDim]`; both or neither. */
  readonly queryNorm?: AffineSpec;
  readonly keyNorm?: AffineSpec;
  readonly attentionOutput: AffineSpec;
  readonly mlpNorm: AffineSpec;
  /** Gate and up, or up alone. */
  readonly mlpInputs: readonly AffineSpec[];
  readonly mlpOutput: AffineSpec;
}

/** The parameters of a decoder in the order of its forward pass. */
export interface DecoderLayout {
  readonly tokenEmbedding: ParameterSpec;
  readonly positionEmbedding?: ParameterSpec;
  readonly blocks: readonly BlockSpec[];
  readonly finalNorm: AffineSpec;
  /** `[V, D]`; the token embedding itself where the two are tied. */
  readonly head: ParameterSpec;
}

/**
 * Which parameters a configuration has. Initialisation is GPT-2's: normal weights, the projections
 * into the residual stream scaled by 1/sqrt(2 · layers), norms 1, biases 0.
 *
 * Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.3.
 */
export function decoderLayout(config: ModelConfig): DecoderLayout {
  const family = families[config.family] as Family;
  const { names } = family;
  const { hiddenSize, vocabSize, numLayers, initializerRange, intermediateSize } = config;
  const queryWidth = config.numHeads * config.headDim;
  const keyValueWidth = config.numKeyValueHeads * config.headDim;
  const residualRange = initializerRange / Math.sqrt(2 * numLayers);

  const matrix = (name: string, shape: readonly number[], normal = initializerRange) => ({
    name: `${name}.weight`,
    shape,
    initial: { normal },
  });
  const vector = (name: string, length: number, constant: number) => ({
    name,
    shape: [length],
    initial: { constant },
  });
  const linear = (
    name: string,
    [inputs, outputs]: readonly [number, number],
    hasBias: boolean,
    range = initializerRange,
  ): AffineSpec => ({
    weight: matrix(
      name,
      family.weightLayout === "out-in" ? [outputs, inputs] : [inputs, outputs],
      range,
    ),
    ...(hasBias ? { bias: vector(`${name}.bias`, outputs, 0) } : {}),
  });
  const norm = (name: string, width = hiddenSize): AffineSpec => ({
    weight: vector(`${name}.weight`, width, 1),
    ...(family.norm === "layer" ? { bias: vector(`${name}.bias`, width, 0) } : {}),
  });

  const attentionWidths = [queryWidth, keyValueWidth, keyValueWidth];
  const isFused = names.attentionInputs.length === 1;
  const inputWidths = isFused ? [queryWidth + 2 * keyValueWidth] : attentionWidths;
  const block = (layer: number): BlockSpec => {
    const prefix = `${names.block.replace("{layer}", String(layer))}.`;
    return {
      attentionNorm: norm(prefix + names.attentionNorm),
      attentionInputs: names.attentionInputs.map((name, i) =>
        linear(prefix + name, [hiddenSize, inputWidths[i] as number], config.attentionBias),
      ),
      ...(names.headNorms && {
        queryNorm: norm(prefix + names.headNorms.query, config.headDim),
        keyNorm: norm(prefix + names.headNorms.key, config.headDim),
      }),
      attentionOutput: linear(
        prefix + names.attentionOutput,
        [queryWidth, hiddenSize],
        config.attentionBias && family.biases.attentionOutput,
        residualRange,
      ),
      mlpNorm: norm(prefix + names.mlpNorm),
      mlpInputs: names.mlpInputs.map((name) =>
        linear(prefix + name, [hiddenSize, intermediateSize], config.mlpBias),
      ),
      mlpOutput: linear(
        prefix + names.mlpOutput,
        [intermediateSize, hiddenSize],
        config.mlpBias,
        residualRange,
      ),
    };
  };

  const tokenEmbedding = matrix(names.tokenEmbedding, [vocabSize, hiddenSize]);
  const hasPositionEmbedding = family.position === "learned";
  return {
    tokenEmbedding,
    ...(hasPositionEmbedding
      ? { positionEmbedding: matrix(names.positionEmbedding, [config.maxPositions, hiddenSize]) }
      : {}),
    blocks: Array.from({ length: numLayers }, (_, layer) => block(layer)),
    finalNorm: norm(names.finalNorm),
    head: config.tieWordEmbeddings ? tokenEmbedding : matrix(names.head, [vocabSize, hiddenSize]),
  };
}

/** The parameters of a layout, each once, in the order of the forward pass. */
export function parameterSpecs(layout: DecoderLayout): ParameterSpec[] {
  const affine = (spec: AffineSpec | undefined) =>
    [spec?.weight, spec?.bias].filter((parameter) => parameter !== undefined);
  const all = [
    layout.tokenEmbedding,
    ...(layout.positionEmbedding ? [layout.positionEmbedding] : []),
    ...layout.blocks.flatMap((block) => [
      ...affine(block.attentionNorm),
      ...block.attentionInputs.flatMap(affine),
      ...affine(block.queryNorm),
      ...affine(block.keyNorm),
      ...affine(block.attentionOutput),
      ...affine(block.mlpNorm),
      ...block.mlpInputs.flatMap(affine),
      ...affine(block.mlpOutput),
    ]),
    ...affine(layout.finalNorm),
    layout.head,
  ];
  return [...new Set(all)];
}
