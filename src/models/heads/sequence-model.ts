import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../../errors/index.js";
import { linear } from "../../ops/index.js";
import { createVariable, type Random } from "../../tensors/index.js";
import type { ModelConfig } from "../decoder/config.js";
import { Decoder } from "../decoder/decoder.js";
import { decoderLayout } from "../decoder/layout.js";
import type { ModelInputs } from "../decoder/types.js";
import { defaultLabels, type HeadConfig, type ProblemType } from "./head-config.js";

/** Name of the head's matrix in a checkpoint. */
export const scoreName = "score.weight";

/**
 * A decoder that gives every sequence `numLabels` numbers instead of logits of a next token: one for a
 * reranker or a reward model, one per class for a classifier. They are the score matrix times what the
 * decoder has at the sequence's last real token. Owns the decoder.
 *
 * This is `LlamaForSequenceClassification` and its like in `transformers`; there, a batch's last real
 * token is the last one that is not the pad id, here it is what the attention mask says.
 */
export class SequenceModel implements Disposable {
  readonly config: ModelConfig;
  readonly head: HeadConfig;
  /** Its own head is not used, and it has no matrix for it. */
  readonly body: Decoder;
  /** `[numLabels, D]` */
  readonly score: tf.Variable;

  /** Takes ownership of both. */
  constructor(config: ModelConfig, head: HeadConfig, body: Decoder, score: tf.Variable) {
    this.config = config;
    this.head = head;
    this.body = body;
    this.score = score;
  }

  /** By Hugging Face name, in a fixed order. */
  get parameters(): ReadonlyMap<string, tf.Variable> {
    return new Map([...this.body.parameters, [scoreName, this.score]]);
  }

  get numParameters(): number {
    return this.body.numParameters + this.score.size;
  }

  /** What training changes: of the decoder (or its active adapter) and the head, what is `trainable`. */
  trainableParameters(): ReadonlyMap<string, tf.Variable> {
    const own: [string, tf.Variable][] = this.score.trainable ? [[scoreName, this.score]] : [];
    return new Map([...this.body.trainableParameters(), ...own]);
  }

  /** All tensors that it reads, as `LanguageModel.weights` has them. */
  weights(): readonly tf.Tensor[] {
    return [...this.body.weights(), this.score];
  }

  /**
   * Scores `[B, numLabels]`, one row per sequence; a batch may be padded on either side. Without an
   * attention mask every position is real. Differentiable.
   */
  forward(inputs: ModelInputs): tf.Tensor2D {
    if (inputs.firstKeys) throw new Error("A row holds several sequences: it has no one score.");
    return tf.tidy(() => {
      const hidden = this.body.hiddenStates(inputs);
      const [, T] = inputs.inputIds.shape;
      const places = tf.range(1, T + 1, 1, "float32");
      const last = inputs.attentionMask
        ? inputs.attentionMask.mul<tf.Tensor2D>(places).argMax<tf.Tensor1D>(-1)
        : tf.fill<tf.Rank.R1>([inputs.inputIds.shape[0]], T - 1, "int32");
      // A product with a mask, since not every backend has a gradient for a gather by row.
      const isLast = tf.equal(tf.range(0, T), last.toFloat().expandDims(1)).toFloat().expandDims(2);
      const atLast = hidden.mul(isLast).sum<tf.Tensor2D>(1);
      return linear(atLast, this.score as tf.Tensor2D) as tf.Tensor2D;
    });
  }

  dispose(): void {
    this.body.dispose();
    this.score.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

export interface WithHeadOptions {
  /** 1 (the default): one score, for rerankers and reward models. */
  readonly numLabels?: number;
  /** Default: `LABEL_0`, `LABEL_1`, … */
  readonly labels?: readonly string[];
  readonly problemType?: ProblemType;
  readonly random: Random;
}

/**
 * A language model with a fresh head for whole sequences in place of its own: normal with deviation
 * `initializerRange`. Takes ownership of the decoder, which is not to be used on its own any more; its
 * adapters stay with it.
 *
 * @throws PupilError for a number of labels below 1 or other than that of their names
 */
export function withHead(decoder: Decoder, options: WithHeadOptions): SequenceModel {
  const { labels, random, problemType = null } = options;
  const numLabels = options.numLabels ?? labels?.length ?? 1;
  if (!Number.isInteger(numLabels) || numLabels < 1) {
    throw new PupilError("is no number of labels.", {
      field: "numLabels",
      value: numLabels,
      remedy: "Give 1 for a score, or the number of classes.",
    });
  }
  if (labels !== undefined && labels.length !== numLabels) {
    throw new PupilError(`There are ${labels.length} labels for ${numLabels} outputs.`, {
      field: "labels",
      value: labels,
      remedy: "Leave out numLabels, or name every output.",
    });
  }
  const { config } = decoder;
  const stream = random.stream("parameter", scoreName);
  const values = Float32Array.from(
    { length: numLabels * config.hiddenSize },
    () => config.initializerRange * stream.normal(),
  );
  const head = { numLabels, labels: labels ?? defaultLabels(numLabels), problemType };
  const score = createVariable(tf.tensor2d(values, [numLabels, config.hiddenSize]));
  return new SequenceModel(config, head, withoutHead(decoder), score);
}

/** The configuration of a decoder without a head of its own: it has that of the embedding, for free. */
export function bodyConfig(config: ModelConfig): ModelConfig {
  return { ...config, tieWordEmbeddings: true };
}

function withoutHead(decoder: Decoder): Decoder {
  if (decoder.config.tieWordEmbeddings) return decoder;
  const { name } = decoderLayout(decoder.config).head;
  const parameters = new Map(decoder.parameters);
  parameters.get(name)?.dispose();
  parameters.delete(name);
  return new Decoder(bodyConfig(decoder.config), parameters, decoder.adapters);
}
