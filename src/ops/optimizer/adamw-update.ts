import * as tf from "@tensorflow/tfjs-core";
import { disposeAll } from "../../tensors/index.js";
import { defineKernel } from "../define.js";

/** A parameter, its moments and its gradient, all of one shape. */
export interface AdamwParameter {
  readonly parameter: tf.Variable;
  readonly firstMoment: tf.Variable;
  readonly secondMoment: tf.Variable;
  readonly gradient: tf.Tensor;
  /** λ of this parameter. */
  readonly weightDecay: number;
}

export interface AdamwSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Number of this update, from 1. */
  readonly step: number;
}

/**
 * Names of tensors by parameter: `parameter0`, `firstMoment0`, …, the factor of all gradients, and {@link adamwRates} for
 * backends on which what changes from step to step has to be data.
 */
export type AdamwTensors = { gradientScale: tf.Tensor; rates: tf.Tensor } & {
  [name: string]: tf.Tensor;
};

export interface AdamwAttributes extends AdamwSettings {
  /** One for each parameter. */
  readonly weightDecays: readonly number[];
}

/**
 * `[parameter, firstMoment, secondMoment]` for each parameter, new tensors; or nothing, if the kernel
 * has written them in the place of the old ones, which it may do where nothing else refers to those.
 */
const update = defineKernel<AdamwTensors, AdamwAttributes>(
  "PupilAdamwUpdate",
  (tensors, { weightDecays, ...settings }) =>
    weightDecays.flatMap((weightDecay, i) => composed(tensors, i, settings, weightDecay)),
);

function composed(
  tensors: AdamwTensors,
  index: number,
  settings: AdamwSettings,
  weightDecay: number,
): tf.Tensor[] {
  const { learningRate, beta1, beta2, epsilon } = settings;
  const get = (name: string) => tensors[`${name}${index}`] as tf.Tensor;
  const g = get("gradient").mul(tensors.gradientScale);
  const first = get("firstMoment")
    .mul(beta1)
    .add(g.mul(1 - beta1));
  const second = get("secondMoment")
    .mul(beta2)
    .add(g.square().mul(1 - beta2));
  const { rate, unbias } = biasCorrections(settings);
  const root = second.sqrt().mul(unbias).add(epsilon);
  const change = first.div(root).mul(rate);
  const next = get("parameter")
    .mul(1 - learningRate * weightDecay)
    .sub(change);
  return [next, first, second];
}

type Rates = Pick<AdamwSettings, "learningRate" | "beta1" | "beta2" | "step">;

/** The rate of the change, η / (1 − β₁ᵗ), and what √v is multiplied with, 1 / √(1 − β₂ᵗ). */
export function biasCorrections({ learningRate, beta1, beta2, step }: Rates) {
  return { rate: learningRate / (1 - beta1 ** step), unbias: 1 / Math.sqrt(1 - beta2 ** step) };
}

/** What of an update is another at every step: η and the {@link biasCorrections}, as a tensor. */
export function adamwRates(settings: Rates): tf.Tensor1D {
  const { rate, unbias } = biasCorrections(settings);
  return tf.tensor1d([settings.learningRate, rate, unbias]);
}

/**
 * One step of AdamW on all parameters: `m ← β₁m + (1−β₁)g`, `v ← β₂v + (1−β₂)g²`,
 * `p ← p − η λ p − η m̂ / (√v̂ + ε)` with bias-corrected m̂ and v̂, in PyTorch's order of operations.
 * Gradients are multiplied by `gradientScale` first (clipping), without a read to the host.
 *
 * Source: Loshchilov & Hutter 2019, arXiv 1711.05101; `torch.optim.AdamW`.
 *
 * @param rates {@link adamwRates} of the settings; made here if left out
 */
export function adamwUpdate(
  parameters: readonly AdamwParameter[],
  gradientScale: tf.Scalar,
  settings: AdamwSettings,
  rates?: tf.Tensor1D,
): void {
  const ownRates = rates ?? adamwRates(settings);
  const tensors: AdamwTensors = { gradientScale, rates: ownRates };
  for (const [i, { parameter, firstMoment, secondMoment, gradient }] of parameters.entries()) {
    tensors[`parameter${i}`] = parameter;
    tensors[`firstMoment${i}`] = firstMoment;
    tensors[`secondMoment${i}`] = secondMoment;
    tensors[`gradient${i}`] = gradient;
  }
  const weightDecays = parameters.map(({ weightDecay }) => weightDecay);
  const updated = update(tensors, { ...settings, weightDecays });
  if (rates === undefined) ownRates.dispose();
  if (updated.length === 0) return;
  for (const [i, { parameter, firstMoment, secondMoment }] of parameters.entries()) {
    parameter.assign(updated[3 * i] as tf.Tensor);
    firstMoment.assign(updated[3 * i + 1] as tf.Tensor);
    secondMoment.assign(updated[3 * i + 2] as tf.Tensor);
  }
  disposeAll(updated);
}
