import * as tf from "@tensorflow/tfjs";
import { createVariable } from "../tensors/index.js";
import { Decoder } from "./decoder.js";

/** A frozen copy with memory of its own: what happens to one does not happen to the other. */
export function copyDecoder({ config, parameters }: Decoder): Decoder {
  const copies = [...parameters].map(([name, parameter]): [string, tf.Variable] => {
    // A clone would share its values with the original, which optimizers update in place.
    return [
      name,
      createVariable(
        tf.tidy(() => parameter.add(0)),
        false,
      ),
    ];
  });
  return new Decoder(config, new Map(copies));
}
