import * as tf from "@tensorflow/tfjs-core";
import { createVariable } from "../../tensors/index.js";
import { Decoder } from "./decoder.js";

/**
 * A frozen copy with memory of its own: what happens to one does not happen to the other. What an
 * active adapter adds is part of the copy's weights.
 */
export function copyDecoder(decoder: Decoder): Decoder {
  const copies = new Map<string, tf.Variable>();
  tf.tidy(() => {
    for (const [name, parameter] of decoder.effectiveParameters()) {
      // A clone would share its values with the original, which optimizers update in place.
      copies.set(name, createVariable(parameter.add(0), false));
    }
  });
  return new Decoder(decoder.config, copies);
}
