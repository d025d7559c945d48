import * as tf from "@tensorflow/tfjs-core";
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
  const making = initialize(config, random);
  for (;;) {
    const { done, value } = making.next();
    if (done) return value;
  }
}

/** The same model, made in pieces so that a process hears signals meanwhile. */
export async function initializeDecoderInPieces(
  config: ModelConfig,
  random: Random,
): Promise<Decoder> {
  const making = initialize(config, random);
  for (;;) {
    const { done, value } = making.next();
    if (done) return value;
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** Numbers that are drawn at a time: some 50 ms. */
const pieceSize = 2 ** 18;

function* initialize(config: ModelConfig, random: Random): Generator<void, Decoder> {
  const parameters = new Map<string, tf.Variable>();
  for (const spec of parameterSpecs(decoderLayout(config))) {
    const values = yield* initialValues(spec, random);
    parameters.set(spec.name, createVariable(tf.tensor(values, [...spec.shape], "float32")));
  }
  return new Decoder(config, parameters);
}

function* initialValues(
  { name, shape, initial }: ParameterSpec,
  random: Random,
): Generator<void, Float32Array> {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  if ("constant" in initial) return values.fill(initial.constant);
  const stream = random.stream("parameter", name);
  for (let i = 0; i < values.length; i++) {
    if (i % pieceSize === pieceSize - 1) yield;
    values[i] = initial.normal * stream.normal();
  }
  return values;
}
