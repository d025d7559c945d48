import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../../errors/index.js";
import { createVariable } from "../../tensors/index.js";
import type { ModelConfig } from "../decoder/config.js";
import { enumerate } from "../decoder/enumerate.js";
import { families, type Family } from "../families/index.js";
import { readTensors } from "../checkpoints/read-tensors.js";
import type { TensorValues } from "../checkpoints/safetensors.js";
import type { Adapter, LoraMatrices } from "./adapter.js";
import { addMatrices, type AdaptedModel } from "./adapters.js";
import type { PeftConfig } from "./peft-config.js";
import { selectTargets, type TargetModule, targetModules, targetNames } from "./target-modules.js";

const tensorName = (module: string, matrix: "A" | "B") =>
  `base_model.model.${module}.lora_${matrix}.weight`;

/** The matrices of an adapter on the host, named as in PEFT's `adapter_model.safetensors`. */
export function adapterToTensors({ layers }: Adapter): Promise<Map<string, TensorValues>> {
  return readTensors(
    new Map(
      [...layers.values()].flatMap(({ module, a, b }): [string, tf.Variable][] => [
        [tensorName(module.name, "A"), a],
        [tensorName(module.name, "B"), b],
      ]),
    ),
  );
}

/**
 * Adds the adapter of PEFT files to a model, which it must fit; it is not active yet.
 *
 * @param source how errors call the weights, such as their path
 * @throws PupilError that lists tensors which are missing, unexpected or of another shape
 */
export function addPeftAdapter(
  model: AdaptedModel,
  name: string,
  { settings }: PeftConfig,
  tensors: ReadonlyMap<string, TensorValues>,
  source: string,
): Adapter {
  model.adapters.requireUnused(name);
  const modules = targetModules(model.config);
  checkOnlyProjections(model.config, settings.targets ?? [], [...tensors.keys()], source);
  const found = adaptedModules(modules, model.config.numLayers, tensors, source);
  const listed = settings.targets && selectTargets(modules, settings.targets, source);
  const wanted = listed ?? found;
  const names = (list: readonly TargetModule[]) => list.map((module) => module.name);
  const missing = wanted.flatMap((module) =>
    (["A", "B"] as const)
      .map((matrix) => tensorName(module.name, matrix))
      .filter((tensor) => !tensors.has(tensor)),
  );
  const unlisted = found.filter((module) => !wanted.includes(module));
  if (missing.length + unlisted.length > 0) {
    const problems = [
      ...(missing.length > 0 ? [`Missing tensors: ${enumerate(missing)}.`] : []),
      ...(unlisted.length > 0 ? [`No target_modules: ${enumerate(names(unlisted))}.`] : []),
    ];
    throw new PupilError(problems.join(" "), {
      field: source,
      value: { missing, unlisted: names(unlisted) },
      remedy: "Use the adapter_config.json that belongs to these weights, and their base model.",
    });
  }
  checkShapes(wanted, settings.rank, tensors, source);
  const variable = (tensor: string) => {
    const { data, shape } = tensors.get(tensor) as TensorValues;
    return createVariable(tf.tensor(data, [...shape], "float32"));
  };
  const matrices = new Map(
    wanted.map((module): [TargetModule, LoraMatrices] => [
      module,
      { a: variable(tensorName(module.name, "A")), b: variable(tensorName(module.name, "B")) },
    ]),
  );
  return addMatrices(
    model,
    name,
    { ...settings, targets: settings.targets ?? names(found) },
    matrices,
  );
}

/**
 * Refuses by name what adapters may change in PEFT and not here: head and embeddings, by LoRA matrices
 * or with a copy of their own (`modules_to_save`, or saved with a larger vocabulary).
 */
function checkOnlyProjections(
  config: ModelConfig,
  targets: readonly string[],
  tensors: readonly string[],
  source: string,
): void {
  const { names } = families[config.family] as Family;
  const whole = [names.head, names.tokenEmbedding, names.positionEmbedding];
  const last = (name: string) => name.split(".").at(-1) as string;
  const isIn = (name: string) => (tensor: string) => tensor.includes(`.${name}.`);
  const changed = whole.filter(
    (name) => targets.map(last).includes(last(name)) || tensors.some(isIn(name)),
  );
  if (changed.length === 0) return;
  const copies = changed.filter((name) => {
    return tensors.some((tensor) => isIn(name)(tensor) && !/\.lora_/.test(tensor));
  });
  const how =
    copies.length > 0
      ? `holds a copy of ${copies.join(" and ")} of its own (modules_to_save, or saved embeddings)`
      : `has LoRA matrices on ${changed.join(" and ")}`;
  throw new PupilError(`The adapter ${how}; only the projections of the blocks can be adapted.`, {
    field: source,
    value: changed,
    remedy: "Merge it in Python: merge_and_unload(), and use the whole model.",
  });
}

/** The modules that the tensors are about; a tensor of anything else is an error. */
function adaptedModules(
  modules: readonly TargetModule[],
  numLayers: number,
  tensors: ReadonlyMap<string, unknown>,
  source: string,
): TargetModule[] {
  const byTensor = new Map(
    modules.flatMap((module) =>
      (["A", "B"] as const).map((matrix) => [tensorName(module.name, matrix), module] as const),
    ),
  );
  const unexpected = [...tensors.keys()].filter((tensor) => !byTensor.has(tensor));
  if (unexpected.length > 0 || tensors.size === 0) {
    const problem =
      tensors.size === 0
        ? "The file has no tensors."
        : `The base model has no place for: ${enumerate(unexpected)}.`;
    throw new PupilError(problem, {
      field: source,
      value: unexpected,
      remedy: `It has lora_A and lora_B of ${targetNames(modules).join(", ")} in ${numLayers} layers. Use the base model that the adapter was made for.`,
    });
  }
  return modules.filter((module) =>
    (["A", "B"] as const).some((matrix) => tensors.has(tensorName(module.name, matrix))),
  );
}

function checkShapes(
  modules: readonly TargetModule[],
  rank: number,
  tensors: ReadonlyMap<string, TensorValues>,
  source: string,
): void {
  const misshapen = modules.flatMap(({ name, inputs, outputs }) =>
    (
      [
        ["A", [rank, inputs]],
        ["B", [outputs, rank]],
      ] as const
    ).flatMap(([matrix, expected]) => {
      const tensor = tensorName(name, matrix);
      const { shape } = tensors.get(tensor) as TensorValues;
      if (shape.join() === expected.join()) return [];
      return [`${tensor} [${shape.join(", ")}], expected [${expected.join(", ")}]`];
    }),
  );
  if (misshapen.length === 0) return;
  throw new PupilError(`The adapter does not fit the base model: ${enumerate(misshapen)}.`, {
    field: source,
    value: misshapen,
    remedy: "Use the base model that the adapter was made for.",
  });
}
