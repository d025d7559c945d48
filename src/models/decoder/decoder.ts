import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../../errors/index.js";
import {
  type AheadSettings,
  embedding,
  hasTokenDecoder,
  linear,
  sampleTokens,
} from "../../ops/index.js";
import { disposeAll, isRecording } from "../../tensors/index.js";
import { BufferedCache, ConcatenatingCache } from "./cache.js";
import { ChangingCache } from "./changing-cache.js";
import type { ModelConfig } from "./config.js";
import { families, type Family } from "../families/index.js";
import {
  checkLayers,
  type LayerRequest,
  type LayerResults,
  observeLayers,
} from "./layer-states.js";
import { applyNorm, type AttentionInputs, type LayerContext, projectionWeight } from "./layers.js";
import { type DecoderLayout, decoderLayout, type ParameterSpec, parameterSpecs } from "./layout.js";
import { type AdapterChoice, AdapterSet } from "../lora/index.js";
import { defaultPositionIds } from "./positions.js";
import { firstKeysByLayer } from "./sliding-window.js";
import { contextLength, ropeLengths } from "./rope-scaling.js";
import { rotaryPositions } from "./rotary-positions.js";
import { addAttention, addMlp } from "./residual-blocks.js";
import { makeTokenDecoder } from "./token-decoder.js";
import type {
  AheadInputs,
  ForwardOptions,
  KeyValueCache,
  LanguageModel,
  ModelInputs,
} from "./types.js";

/**
 * A pre-norm decoder-only transformer. Its family (Llama, GPT-2, …) is data: see `families/`.
 *
 * Parameters carry Hugging Face names and layouts, so a checkpoint is a copy, not a conversion. What an
 * adapter adds to them is beside them, in `adapters`.
 */
export class Decoder implements LanguageModel {
  readonly config: ModelConfig;
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  /** Without adapters. */
  readonly numParameters: number;
  readonly adapters: AdapterSet;
  private readonly layout: DecoderLayout;
  private readonly context: LayerContext;

  /**
   * Takes ownership of `parameters`, which must be those that the configuration calls for, and of
   * `adapters`.
   *
   * @param choice which adapter it computes with. Default: the active one
   */
  constructor(
    config: ModelConfig,
    parameters: ReadonlyMap<string, tf.Variable>,
    adapters: AdapterSet = new AdapterSet(),
    choice: AdapterChoice = adapters,
  ) {
    this.config = config;
    this.adapters = adapters;
    this.layout = decoderLayout(config);
    this.parameters = inOrder(parameterSpecs(this.layout), parameters);
    this.numParameters = [...this.parameters.values()].reduce((sum, { size }) => sum + size, 0);
    this.context = {
      config,
      family: families[config.family] as Family,
      parameter: <R extends tf.Rank>(spec: ParameterSpec) =>
        this.parameters.get(spec.name) as unknown as tf.Tensor<R>,
      adapters: choice,
    };
  }

  /**
   * What training changes: parameters and the active adapter's, those with `trainable`.
   *
   * @throws PupilError while an adapter is merged, since it would not be what is trained
   */
  trainableParameters(): ReadonlyMap<string, tf.Variable> {
    this.adapters.requireUnmerged("trained");
    const all = [...this.parameters, ...(this.adapters.active?.parameters ?? [])];
    return new Map(all.filter(([, variable]) => variable.trainable));
  }

  /**
   * The parameters as the model computes with them: where the active adapter adds to one, a new tensor
   * with the sum, which the surrounding scope releases.
   */
  effectiveParameters(): ReadonlyMap<string, tf.Tensor> {
    return new Map(
      parameterSpecs(this.layout).map((spec) => [
        spec.name,
        this.adapters.layerOf(spec.name)
          ? projectionWeight(this.context, spec)
          : this.context.parameter(spec),
      ]),
    );
  }

  /** The same model, sharing all weights, with another adapter or none. It owns nothing. */
  withAdapter(name: string | undefined): LanguageModel {
    const view = new Decoder(
      this.config,
      this.parameters,
      this.adapters,
      this.adapters.fixedAt(name),
    );
    return {
      config: view.config,
      parameters: view.parameters,
      numParameters: view.numParameters,
      headWeight: view.headWeight,
      trainableParameters: () => new Map(),
      weights: () => view.weights(),
      createCache: (capacity) => view.createCache(capacity),
      forward: (inputs, cache, options) => view.forward(inputs, cache, options),
      sampleAhead: (inputs, cache, settings) => view.sampleAhead(inputs, cache, settings),
      hiddenStates: (inputs) => view.hiddenStates(inputs),
      forwardWithLayers: (inputs, wanted) => view.forwardWithLayers(inputs, wanted),
      dispose: () => undefined,
      [Symbol.dispose]: () => undefined,
    };
  }

  /** See {@link LanguageModel.weights}. */
  weights(): readonly tf.Tensor[] {
    return [...this.parameters.values(), ...this.context.adapters.tensors];
  }

  /** The head's matrix `[V, D]`: `logits = hiddenStates · headWeightᵀ`. Owned by the model. */
  get headWeight(): tf.Tensor2D {
    return this.context.parameter<tf.Rank.R2>(this.layout.head);
  }

  createCache(capacity?: number): KeyValueCache {
    const lengths = ropeLengths(this.config);
    if (lengths) return new ChangingCache(lengths.from);
    if (!hasTokenDecoder()) return new ConcatenatingCache();
    const makeDecoder = () => makeTokenDecoder(this.context, this.layout, this);
    return new BufferedCache(this.config.numLayers, makeDecoder, capacity);
  }

  /** Logits `[B, T, V]`; see {@link LanguageModel.forward}. */
  forward(inputs: ModelInputs, cache?: KeyValueCache, options: ForwardOptions = {}): tf.Tensor3D {
    return tf.tidy(() => {
      if (cache?.decodeToken && cache.length > 0 && inputs.inputIds.shape[1] === 1) {
        checkInputs(this.config, inputs, cache.length);
        if (!isRecording() && !inputs.firstKeys) return cache.decodeToken(inputs);
      }
      const hidden = this.hiddenStates(inputs, cache);
      const [batch, length, width] = hidden.shape;
      const wanted = options.lastPositionOnly
        ? tf.slice(hidden, [0, length - 1, 0], [batch, 1, width])
        : hidden;
      return linear(wanted, this.headWeight) as tf.Tensor3D;
    });
  }

  /** See {@link LanguageModel.sampleAhead}. */
  sampleAhead(
    inputs: AheadInputs,
    cache: KeyValueCache,
    settings: AheadSettings,
  ): tf.Tensor3D | undefined {
    if (cache.sampleAhead === undefined) return undefined;
    const length = inputs.inputIds.shape[1];
    checkInputs(this.config, inputs, cache.length);
    const added = length + settings.steps - 1;
    checkLength(this.config, cache.length, added);
    const sample = () => this.sampleFrom(inputs, cache, settings);
    // One token at a time is asked for at ever other lengths.
    if (settings.steps === 1 || !cache.sampleRecorded) return sample();
    const callOf = () => {
      const given = Object.values(inputs).filter((tensor) => tensor !== undefined);
      const reads = [...given, ...this.weights()];
      return { owner: this, name: "sampling", key: JSON.stringify(settings), reads };
    };
    return cache.sampleRecorded(callOf, cache.length + added, sample);
  }

  private sampleFrom(
    inputs: AheadInputs,
    cache: KeyValueCache,
    settings: AheadSettings,
  ): tf.Tensor3D | undefined {
    if (inputs.inputIds.shape[1] === 1 && cache.length > 0) {
      return cache.sampleAhead?.(inputs, settings);
    }
    const logits = this.forward(inputs, cache, { lastPositionOnly: true });
    // For one token no weights are to be packed.
    const sampled = settings.steps > 1 ? cache.sampleAhead?.(inputs, settings, logits) : undefined;
    return sampled ?? firstTokens(logits, inputs, settings);
  }

  /** Logits and states of layers, from one pass; see {@link LanguageModel.forwardWithLayers}. */
  forwardWithLayers(
    inputs: ModelInputs,
    wanted: LayerRequest,
  ): { logits: tf.Tensor3D; layers: LayerResults } {
    checkLayers(this.config, wanted);
    checkInputs(this.config, inputs, 0);
    return tf.tidy(() => {
      const observer = observeLayers(wanted);
      const hidden = this.run(inputs, 0, { observer });
      return {
        logits: linear(hidden, this.headWeight) as tf.Tensor3D,
        layers: observer.results,
      };
    });
  }

  /** What the head reads: the residual stream `[B, T, D]` after the final norm. */
  hiddenStates(inputs: ModelInputs, cache?: KeyValueCache): tf.Tensor3D {
    const { inputIds } = inputs;
    const numCached = cache?.length ?? 0;
    checkInputs(this.config, inputs, numCached);
    const all = cache?.remember?.(inputs);
    if (all) {
      const [batch, length] = inputIds.shape;
      const start = [0, numCached, 0];
      return tf.tidy(() => this.hiddenStates(all).slice(start, [batch, length, -1]));
    }
    return tf.tidy(() => this.run(inputs, numCached, { ...(cache && { cache }) }));
  }

  /** The same without a scope of its own, for whoever keeps more of it than what it returns. */
  private run(
    inputs: ModelInputs,
    numCached: number,
    given: Pick<AttentionInputs, "cache" | "observer">,
  ): tf.Tensor3D {
    const { config, context, layout } = this;
    const { inputIds, attentionMask } = inputs;
    const { observer } = given;
    const positionIds =
      inputs.positionIds ?? defaultPositionIds(inputIds, attentionMask, numCached);
    const attention = {
      ...(layout.positionEmbedding ? {} : { rotaryTables: rotaryPositions(config, positionIds) }),
      ...(attentionMask ? { keyMask: attentionMask } : {}),
      ...given,
    };
    const firstKeys = firstKeysByLayer(config, inputs, numCached);
    let x = embedding(context.parameter(layout.tokenEmbedding), inputIds) as tf.Tensor3D;
    if (layout.positionEmbedding) {
      x = x.add(embedding(context.parameter(layout.positionEmbedding), positionIds));
    }
    for (const [layer, block] of layout.blocks.entries()) {
      observer?.residual(layer, x);
      const first = firstKeys[layer];
      const bounded = first ? { ...attention, firstKeys: first } : attention;
      x = addAttention(context, block, layer, x, bounded);
      x = addMlp(context, block, x);
    }
    const last = applyNorm(context, layout.finalNorm, x) as tf.Tensor3D;
    observer?.residual(config.numLayers, last);
    return last;
  }

  dispose(): void {
    disposeAll([this.adapters, ...this.parameters.values()]);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function inOrder(
  specs: readonly ParameterSpec[],
  parameters: ReadonlyMap<string, tf.Variable>,
): Map<string, tf.Variable> {
  const ordered = new Map<string, tf.Variable>();
  for (const { name, shape } of specs) {
    const parameter = parameters.get(name);
    if (parameter?.shape.join() !== shape.join()) {
      const found = parameter ? `[${parameter.shape.join(", ")}]` : "nothing";
      throw new Error(`Parameter ${name} must be [${shape.join(", ")}], got ${found}.`);
    }
    ordered.set(name, parameter);
  }
  if (parameters.size !== ordered.size) {
    const extra = [...parameters.keys()].filter((name) => !ordered.has(name));
    throw new Error(`Unexpected parameters: ${extra.join(", ")}.`);
  }
  return ordered;
}

/** `[1, 2, B]`: the tokens after what is cached, without those after them. */
function firstTokens(
  logits: tf.Tensor3D,
  { uniforms }: AheadInputs,
  { samplingTemperature, topK, topP, greedy }: AheadSettings,
): tf.Tensor3D {
  return tf.tidy(() => {
    const [batch, , vocabulary] = logits.shape;
    const first = uniforms?.slice([0, 0], [1, batch]).reshape<tf.Tensor1D>([batch]);
    const policy = { samplingTemperature, topK, topP, greedy };
    const rows = logits.reshape<tf.Tensor2D>([batch, vocabulary]);
    return sampleTokens(rows, policy, first).expandDims<tf.Tensor3D>(0);
  });
}

function checkLength(config: ModelConfig, numCached: number, length: number): void {
  const limit = contextLength(config);
  const total = numCached + length;
  if (total <= limit) return;
  const parts = numCached > 0 ? `${numCached} cached and ${length} new tokens` : `${length} tokens`;
  throw new PupilError(`${parts} do not fit into the model's ${limit} positions.`, {
    field: "maxPositions",
    value: total,
    remedy: "Shorten the prompt or the completion, or use a model with a longer context.",
  });
}

function checkInputs(config: ModelConfig, inputs: ModelInputs, numCached: number): void {
  const [batch, length] = inputs.inputIds.shape;
  const total = numCached + length;
  // Several sequences in a row have positions of their own.
  if (!inputs.firstKeys) checkLength(config, numCached, length);
  const { attentionMask: mask, firstKeys } = inputs;
  if (firstKeys && ropeLengths(config)) {
    throw new PupilError(
      "Rotary frequencies that depend on the length of a sequence cannot differ within a row.",
      { field: "trainer.packing", remedy: "Set it to false for this model." },
    );
  }
  if (firstKeys && (firstKeys.shape[0] !== batch || firstKeys.shape[1] !== length)) {
    throw new Error(
      `firstKeys has shape [${firstKeys.shape.join(", ")}], expected [${batch}, ${length}].`,
    );
  }
  if (mask && (mask.shape[0] !== batch || mask.shape[1] !== total)) {
    throw new Error(
      `attentionMask has shape [${mask.shape.join(", ")}], expected [${batch}, ${total}] ` +
        `(${numCached} cached and ${length} new positions).`,
    );
  }
}
