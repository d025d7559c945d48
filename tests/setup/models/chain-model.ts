import * as tf from "@tensorflow/tfjs-core";
import {
  type KeyValueCache,
  type LanguageModel,
  type ModelConfig,
  type ModelInputs,
  modelConfigSchema,
} from "../../../src/models/index.js";

/** What one forward pass was given, as rows. */
export interface SeenInputs {
  readonly inputIds: number[][];
  readonly attentionMask: number[][];
  readonly positionIds: number[][];
}

/**
 * A language model that always continues n with n + 1 (the last token with 0) and keeps a record of
 * what it was given. Its logits are `certainty` for that token and 0 for the others.
 */
export class ChainModel implements LanguageModel {
  readonly config: ModelConfig;
  readonly parameters = new Map<string, tf.Variable>();
  readonly numParameters = 0;
  readonly seen: SeenInputs[] = [];
  private readonly certainty: number;

  constructor(vocabSize: number, maxPositions = 100, certainty = 50) {
    const sizes = { hiddenSize: 1, numLayers: 1, numHeads: 1 };
    this.config = modelConfigSchema.parse({ family: "gpt2", vocabSize, maxPositions, ...sizes });
    this.certainty = certainty;
  }

  trainableParameters(): ReadonlyMap<string, tf.Variable> {
    return this.parameters;
  }

  createCache(): KeyValueCache {
    return new ColumnCount();
  }

  forward(inputs: ModelInputs, cache?: KeyValueCache): tf.Tensor3D {
    const { inputIds, attentionMask, positionIds } = inputs;
    if (!(cache instanceof ColumnCount) || !attentionMask || !positionIds) {
      throw new Error("ChainModel is for sampling: it wants a cache, a mask and positions.");
    }
    cache.length += inputIds.shape[1];
    if (cache.length > this.config.maxPositions) throw new Error("Out of positions.");
    this.seen.push({
      inputIds: inputIds.arraySync(),
      attentionMask: attentionMask.arraySync(),
      positionIds: positionIds.arraySync(),
    });
    return tf.tidy(() => {
      const { vocabSize } = this.config;
      const last = inputIds.slice([0, inputIds.shape[1] - 1], [inputIds.shape[0], 1]);
      const next = last.add(tf.scalar(1, "int32")).mod(tf.scalar(vocabSize, "int32")).toInt();
      return tf.oneHot(next as tf.Tensor2D, vocabSize).mul(this.certainty) as tf.Tensor3D;
    });
  }

  dispose(): void {}
  [Symbol.dispose](): void {}
}

/** The model remembers nothing, so its cache only counts columns. */
class ColumnCount implements KeyValueCache {
  length = 0;
  append(): never {
    throw new Error("Nothing to cache.");
  }
  dispose(): void {}
  [Symbol.dispose](): void {}
}
