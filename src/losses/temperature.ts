import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";

/** The softmax temperature inside a divergence, as opposed to the temperature of sampling. */
export interface TemperatureOptions {
  /** Both logits are divided by it before the softmax. Default 1. */
  readonly temperature?: number;
  /** Multiplies the value by temperature². Default false. */
  readonly temperatureSquared?: boolean;
}

export const temperatureFields = {
  temperature: z
    .number()
    .positive()
    .default(1)
    .describe("Divides both logits before the softmax; above 1 it flattens both distributions."),
  temperatureSquared: z
    .boolean()
    .default(false)
    .describe(
      "Multiplies the loss by temperature², which keeps the size of the gradient about the same for every temperature (Hinton et al. 2015).",
    ),
};

/** Applies {@link TemperatureOptions.temperatureSquared} to per-token values. */
export function scaleByTemperature(
  perToken: tf.Tensor2D,
  { temperature = 1, temperatureSquared = false }: TemperatureOptions,
): tf.Tensor2D {
  return temperatureSquared ? tf.mul(perToken, temperature * temperature) : perToken;
}

/** {@link TemperatureOptions} as the options of a row loss, for a divergence with a weight. */
export function temperatureOfRows(
  { temperature = 1, temperatureSquared = false }: TemperatureOptions,
  weight = 1,
): { temperature: number; scale: number } {
  return { temperature, scale: weight * (temperatureSquared ? temperature * temperature : 1) };
}
