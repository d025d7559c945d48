import * as tf from "@tensorflow/tfjs";
import { createVariable, type Random } from "../../tensors/index.js";
import type { ModelConfig } from "./config.js";
import { Decoder } from "./decoder.js";
import { decoderLayout, type ParameterSpec, parameterSpecs } from "./layout.js";

/**
 * A decoder with fresh weights: normal with standard deviation `initializerRange` (divided by
 * sqrt(2 · numLayers) in the projections into the residual stream), norms 1, biases 0.
 *
 * Every parameter draws from a stream named after it: the same seed gives the same weights on every
 * backend, whatever else the model contains.
 */
export function initializeDecoder(config: ModelConfig, random: Random): Decoder {
  const specs = parameterSpecs(decoderLayout(config));
  const parameters = new Map(
    specs.map((spec) => {
      const values = initialValues(spec, random);
      return [spec.name, createVariable(tf.tensor(values, [...spec.shape], "float32"))];
    }),
  );
  return new Decoder(config, parameters);
}

function initialValues({ name, shape, initial }: ParameterSpec, random: Random): Float32Array {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  if ("constant" in initial) return values.fill(initial.constant);
  const stream = random.stream("parameter", name);
  for (let i = 0; i < values.length; i++) values[i] = initial.normal * stream.normal();
  return values;
}
