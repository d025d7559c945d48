import {
  applyOverrides,
  type CollectConfig,
  collectConfigSchemaWith,
  parseConfig,
} from "../../config/index.js";
import { readConfigFile } from "../files/read-config.js";
import { loadOwnComponents } from "../modules/own-components.js";

/**
 * The config of a collection, checked, with components of the user's own if its lists lead to any.
 *
 * @throws PupilError for what is wrong with it
 */
export async function parseCollectConfig(given: unknown, source: string): Promise<CollectConfig> {
  const own = await loadOwnComponents(given, source);
  return parseConfig(collectConfigSchemaWith(own), given, source);
}

/** The same from a file and `key=value` words. */
export async function resolveCollect(
  path: string,
  words: readonly string[],
): Promise<CollectConfig> {
  return parseCollectConfig(
    applyOverrides(await readConfigFile(path, "collect config"), words),
    path,
  );
}
