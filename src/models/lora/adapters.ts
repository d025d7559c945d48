import * as tf from "@tensorflow/tfjs-core";
import type { z } from "zod";
import { parseConfig, PupilError } from "../../errors/index.js";
import { createVariable, disposeAll, keepTensor, type Random } from "../../tensors/index.js";
import type { ModelConfig } from "../decoder/config.js";
import { families, type Family } from "../families/index.js";
import { Adapter, type LoraMatrices, mergedWeight } from "./adapter.js";
import type { AdapterSet } from "./adapter-set.js";
import { type LoraSettings, loraSchema } from "./lora-options.js";
import { selectTargets, type TargetModule, targetModules, targetNames } from "./target-modules.js";

/** A model with adapters: a decoder, to everything here. */
export interface AdaptedModel {
  readonly config: ModelConfig;
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  readonly adapters: AdapterSet;
}

export type AddAdapterOptions = z.input<typeof loraSchema> & {
  readonly random: Random;
  /** What a saved adapter calls the model that it belongs to: a folder or a name. */
  readonly baseModel?: string | undefined;
  /** How errors call the options. Default: `lora`. */
  readonly field?: string;
};

/**
 * Adds an adapter that changes nothing yet: B is 0. A is random, as in PEFT uniform within
 * ±1/√inputs (Kaiming with a = √5) or normal with deviation 1/rank, from a stream named after its
 * module. The model's own weights are frozen from here on (`trainable` is false); the adapter is
 * used and trained once it is active ({@link setActiveAdapter}).
 *
 * @throws PupilError for a name that is taken, a target that the model does not have, and a rank above
 *   that of a weight
 */
export function addAdapter(model: AdaptedModel, name: string, options: AddAdapterOptions): Adapter {
  const { random, baseModel, field = "lora", ...given } = options;
  const lora = parseConfig(loraSchema, given, field);
  model.adapters.requireUnused(name);
  const modules = targetModules(model.config);
  const targets = lora.targets === "all-linear" ? targetNames(modules) : lora.targets;
  const chosen = selectTargets(modules, targets, `${field}.targets`);
  for (const { name: module, inputs, outputs } of chosen) {
    const most = Math.min(inputs, outputs);
    if (lora.rank <= most) continue;
    throw new PupilError(`is more than the rank of ${module}, which has ${outputs}×${inputs}.`, {
      field: `${field}.rank`,
      value: lora.rank,
      remedy: `Choose at most ${most}: above it the matrices hold more than the weight itself.`,
    });
  }
  const settings: LoraSettings = { ...lora, alpha: lora.alpha ?? lora.rank, targets, baseModel };
  return addMatrices(
    model,
    name,
    settings,
    new Map(chosen.map((module) => [module, freshMatrices(module, settings, random)])),
  );
}

/** Adds an adapter that exists, taking ownership of its matrices; freezes the model's weights. */
export function addMatrices(
  { parameters, adapters }: AdaptedModel,
  name: string,
  settings: LoraSettings,
  matrices: ReadonlyMap<TargetModule, LoraMatrices>,
): Adapter {
  const adapter = new Adapter(name, settings, matrices);
  adapters.add(adapter);
  for (const parameter of parameters.values()) parameter.trainable = false;
  return adapter;
}

/**
 * The adapter that the model computes with and that training changes; undefined for none. What was
 * cached with another one no longer fits.
 *
 * @throws PupilError for a name that no adapter has, and while one is merged
 */
export function setActiveAdapter({ adapters }: AdaptedModel, name: string | undefined): void {
  adapters.activate(name);
}

/**
 * Adds scale · B·A to the weights, so that the model computes the same without an adapter, and is a
 * plain checkpoint in `parameters`. What the weights were is kept for {@link unmergeAdapter}, until
 * {@link removeAdapter}. Meanwhile nothing can be trained and no other adapter used.
 *
 * @throws PupilError while an adapter is merged
 */
export function mergeAdapter({ config, parameters, adapters }: AdaptedModel, name: string): void {
  const adapter = adapters.get(name);
  adapters.requireUnmerged("merged");
  const { weightLayout } = families[config.family] as Family;
  const originals = new Map<string, tf.Tensor>();
  for (const [weight, layer] of adapter.layers) {
    const parameter = parameters.get(weight) as tf.Variable;
    originals.set(weight, keepTensor(parameter.clone()));
    tf.tidy(() => parameter.assign(mergedWeight(parameter as tf.Tensor2D, layer, weightLayout)));
  }
  adapters.setMerged(adapter, originals);
  adapters.activate(name);
}

/** The weights as they were before {@link mergeAdapter}, bit for bit; the adapter stays active. */
export function unmergeAdapter({ parameters, adapters }: AdaptedModel): void {
  const originals = adapters.takeOriginals();
  if (originals.size === 0) throw new PupilError("No adapter is merged into the weights.");
  for (const [weight, original] of originals) parameters.get(weight)?.assign(original);
  disposeAll(originals.values());
}

/** Releases an adapter. One that is merged stays part of the weights for good. */
export function removeAdapter({ adapters }: AdaptedModel, name: string): void {
  adapters.remove(name);
}

function freshMatrices(
  { name, inputs, outputs }: TargetModule,
  { rank, initialization }: LoraSettings,
  random: Random,
): LoraMatrices {
  const stream = random.stream("lora", name);
  const bound = 1 / Math.sqrt(inputs);
  const draw = {
    kaiming: () => bound * (2 * stream.uniform() - 1),
    gaussian: () => stream.normal() / rank,
  }[initialization];
  const values = Float32Array.from({ length: rank * inputs }, draw);
  return {
    a: createVariable(tf.tensor2d(values, [rank, inputs])),
    b: createVariable(tf.zeros([outputs, rank])),
  };
}
