import { z } from "zod";
import {
  type OwnComponents,
  parseConfig,
  type RunConfig,
  runConfigSchemaWith,
} from "../../config/index.js";
import type { LossDefinition } from "../../losses/index.js";
import { loadModule, loadModules } from "./load-modules.js";
import {
  lossModules,
  rewardModules,
  taskModules,
  teacherModules,
  verifierModules,
} from "./module-kinds.js";

const list = z.array(z.string()).catch([]);
const moduleLists = z
  .object({ losses: list, rewards: list, tasks: list, verifiers: list, teachers: list })
  .catch({
    ...{ losses: [], rewards: [], tasks: [], verifiers: [] },
    teachers: [],
  });

/**
 * Everything of the user's own that the lists of modules in a config lead to. What else is wrong with
 * them, its schema says.
 *
 * @throws PupilError naming the list, for a module that cannot be loaded or a name that is taken
 */
export async function loadOwnComponents(
  config: unknown,
  source = "the run config",
): Promise<OwnComponents> {
  const { losses, rewards, tasks, verifiers, teachers } = moduleLists.parse(config);
  return {
    losses: await loadModules(lossModules, losses, source),
    rewards: await loadModules(rewardModules, rewards, source),
    tasks: await loadModules(taskModules, tasks, source),
    verifiers: await loadModules(verifierModules, verifiers, source),
    teachers: await loadModules(teacherModules, teachers, source),
  };
}

/**
 * A run config, checked, with components of the user's own if its lists of modules lead to any.
 *
 * @throws PupilError for what is wrong with the config or with one of those modules
 */
export async function parseRunConfig(given: unknown, source: string): Promise<RunConfig> {
  const own = await loadOwnComponents(given, source);
  return parseConfig(runConfigSchemaWith(own), given, source);
}

/** The loss definitions that a module exports, one by one or in lists; see {@link loadModule}. */
export function loadLosses(path: string): Promise<LossDefinition[]> {
  return loadModule(lossModules, path);
}
