import * as tf from "@tensorflow/tfjs-core";
import { keepTensor } from "../../tensors/index.js";
import type { KeyValueCache, LanguageModel, ModelInputs } from "./types.js";

/** How far below the least likely id the rows are put that a model does not have. */
const margin = 20;

/**
 * A model whose head has another number of rows, for the same tokenizer: the rows beyond its ids are
 * padding, of which models of one family have more or fewer. Rows beyond `vocabSize` are left out, as
 * if they had no probability; ids that the model has no row for get a logit of 20 below the least of
 * the position, so that no divergence is infinite, and are read as the last of its rows: no text has
 * them, only a student that has learned nothing yet writes them. Takes ownership of the model.
 */
export function withVocabulary(model: LanguageModel, vocabSize: number): LanguageModel {
  const rows = model.config.vocabSize;
  if (rows === vocabSize) return model;
  const fit = (logits: tf.Tensor3D) => fitToVocabulary(logits, vocabSize);
  const known = (inputs: ModelInputs): ModelInputs =>
    rows > vocabSize
      ? inputs
      : { ...inputs, inputIds: inputs.inputIds.minimum(tf.scalar(rows - 1, "int32")) };
  const { hiddenStates, headWeight, forwardWithLayers } = model;
  // Cut once: what is computed from hidden states reads the head at every step.
  const head =
    rows > vocabSize && hiddenStates !== undefined && headWeight !== undefined
      ? tf.tidy(() => keepTensor(headWeight.slice([0, 0], [vocabSize, -1]).clone()))
      : undefined;
  const dispose = () => {
    head?.dispose();
    model.dispose();
  };
  return {
    config: { ...model.config, vocabSize },
    parameters: model.parameters,
    numParameters: model.numParameters,
    trainableParameters: () => model.trainableParameters(),
    forward: (inputs, ...rest) => tf.tidy(() => fit(model.forward(known(inputs), ...rest))),
    ...(head && { headWeight: head, hiddenStates: (inputs) => hiddenOf(model, inputs) }),
    ...(forwardWithLayers && {
      forwardWithLayers: (inputs, wanted) => {
        const { logits, layers } = forwardWithLayers.call(model, known(inputs), wanted);
        return { logits: fit(logits), layers };
      },
    }),
    ...(model.weights && {
      weights: () => [...(model.weights?.() ?? []), ...(head ? [head] : [])],
    }),
    createCache: (capacity) => fittingCache(model.createCache(capacity), known, fit),
    dispose,
    [Symbol.dispose]: dispose,
  };
}

/**
 * Logits `[B, T, V]` of another number of rows: those beyond are left out, those that are missing get 20
 * less than the least of their position.
 */
export function fitToVocabulary(logits: tf.Tensor3D, vocabSize: number): tf.Tensor3D {
  const rows = logits.shape[2];
  if (rows === vocabSize) return logits;
  return tf.tidy(() => {
    if (rows > vocabSize) return logits.slice([0, 0, 0], [-1, -1, vocabSize]);
    const least = logits.min(-1, true).sub(margin);
    return tf.concat([logits, tf.tile(least, [1, 1, vocabSize - rows])], -1) as tf.Tensor3D;
  });
}

function hiddenOf(model: LanguageModel, inputs: ModelInputs): tf.Tensor3D {
  return model.hiddenStates?.(inputs) as tf.Tensor3D;
}

/** The model's own cache, as the model asks for it; only the logits of its shorter way are others. */
function fittingCache(
  cache: KeyValueCache,
  known: (inputs: ModelInputs) => ModelInputs,
  fit: (logits: tf.Tensor3D) => tf.Tensor3D,
): KeyValueCache {
  const decode = cache.decodeToken?.bind(cache);
  if (decode === undefined) return cache;
  return Object.assign(cache, {
    decodeToken: (inputs: ModelInputs) => tf.tidy(() => fit(decode(known(inputs)))),
  });
}
