import type * as tf from "@tensorflow/tfjs-core";
import { disposeAll } from "../../tensors/index.js";
import { defineKernel } from "../define.js";

type AverageTensors = { average: tf.Tensor; current: tf.Tensor };
export interface AverageAttributes {
  readonly decay: number;
}

/**
 * The new average; or nothing, if the kernel has written it in the place of the old one, which it may do where nothing else
 * refers to that.
 */
const update = defineKernel<AverageTensors, AverageAttributes>(
  "PupilAverageUpdate",
  ({ average, current }, { decay }) => [average.mul(decay).add(current.mul(1 - decay))],
);

/** Moves an exponential moving average on: `average ← decay · average + (1 − decay) · current`, two tensors of one shape. */
export function averageUpdate(average: tf.Variable, current: tf.Tensor, decay: number): void {
  const updated = update({ average, current }, { decay });
  const [next] = updated;
  if (next) average.assign(next);
  disposeAll(updated);
}
