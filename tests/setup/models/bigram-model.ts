import * as tf from "@tensorflow/tfjs-core";
import { type Decoder, initializeDecoder, modelConfigSchema } from "../../../src/models/index.js";
import { Random } from "../../../src/tensors/index.js";

/** Log-probability of what never comes. */
const never = -30;

/**
 * A decoder whose next token depends on the last one alone, with the probabilities that are asked for:
 * an embedding of one-hot rows, layers of zeros, and a head that holds the log-probabilities.
 *
 * @param following probabilities of next ids by their id, after an id; those that are left out are 0
 */
export function bigramModel(
  vocabSize: number,
  following: (id: number) => ReadonlyMap<number, number>,
): Decoder {
  const hiddenSize = vocabSize + (vocabSize % 2);
  const config = modelConfigSchema.parse({
    ...{ family: "llama", vocabSize, hiddenSize, numLayers: 1, numHeads: 1 },
    ...{ maxPositions: 128, tieWordEmbeddings: false, normEpsilon: 1e-12 },
  });
  const model = initializeDecoder(config, new Random(0));
  for (const [name, parameter] of model.parameters) {
    if (name.includes("norm")) continue;
    const values = new Float32Array(parameter.size);
    if (name === "model.embed_tokens.weight") {
      for (let id = 0; id < vocabSize; id++) values[id * hiddenSize + id] = 1;
    }
    if (name === "lm_head.weight") {
      for (let id = 0; id < vocabSize; id++) {
        const next = following(id);
        for (let v = 0; v < vocabSize; v++) {
          const p = next.get(v) ?? 0;
          // RMSNorm makes √H of the 1 in a one-hot row.
          values[v * hiddenSize + id] = (p > 0 ? Math.log(p) : never) / Math.sqrt(hiddenSize);
        }
      }
    }
    tf.tidy(() => parameter.assign(tf.tensor(values, parameter.shape)));
  }
  return model;
}
