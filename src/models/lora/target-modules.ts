import { oneOf, PupilError } from "../../errors/index.js";
import type { ModelConfig } from "../decoder/config.js";
import { families, type Family } from "../families/index.js";
import { decoderLayout } from "../decoder/layout.js";

/** A linear projection of a block: what an adapter can be put on. */
export interface TargetModule {
  /** Its Hugging Face name, such as `model.layers.0.self_attn.q_proj`. */
  readonly name: string;
  /** The name of its weight in `parameters`. */
  readonly weight: string;
  readonly inputs: number;
  readonly outputs: number;
}

/** The linear projections of a decoder's blocks, in the order of its forward pass. */
export function targetModules(config: ModelConfig): TargetModule[] {
  const { weightLayout } = families[config.family] as Family;
  return decoderLayout(config).blocks.flatMap((block) =>
    [...block.attentionInputs, block.attentionOutput, ...block.mlpInputs, block.mlpOutput].map(
      ({ weight }): TargetModule => {
        const [first, second] = weight.shape as [number, number];
        const [outputs, inputs] = weightLayout === "out-in" ? [first, second] : [second, first];
        return { name: moduleOf(weight.name), weight: weight.name, inputs, outputs };
      },
    ),
  );
}

/** The last parts of the modules' names, each once: `q_proj`, `k_proj`, … */
export function targetNames(modules: readonly TargetModule[]): string[] {
  return [...new Set(modules.map(({ name }) => name.split(".").at(-1) as string))];
}

/**
 * The modules that a list of targets means. As in PEFT a target is a module's whole name, or its end
 * from a dot on.
 *
 * @param field how errors call the list
 * @throws PupilError for a target that no module has, with the nearest name
 */
export function selectTargets(
  modules: readonly TargetModule[],
  targets: readonly string[],
  field: string,
): TargetModule[] {
  for (const target of targets) {
    if (modules.some(({ name }) => isMeant(name, target))) continue;
    throw new PupilError(`The model has no projection "${target}".`, {
      field,
      value: target,
      remedy: `${oneOf(target, targetNames(modules))} Or "all-linear" for all of them.`,
    });
  }
  return modules.filter(({ name }) => targets.some((target) => isMeant(name, target)));
}

function isMeant(module: string, target: string): boolean {
  return module === target || module.endsWith(`.${target}`);
}

function moduleOf(weight: string): string {
  return weight.slice(0, -".weight".length);
}
