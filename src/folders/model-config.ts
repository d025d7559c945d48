import { z } from "zod";
import { PupilError, showValue } from "../errors/index.js";
import { type ModelConfig, parseHuggingFaceConfig } from "../models/index.js";
import { type FolderFiles, readFolderJson } from "./folder-files.js";

/** The configuration of a folder, with the end ids of its `generation_config.json` where those are more. */
export async function readFolderConfig(
  folder: FolderFiles,
): Promise<{ config: ModelConfig; unknownKeys: readonly string[] }> {
  const json = await readFolderJson(folder, "config.json", "model config");
  const parsed = parseHuggingFaceConfig(json, folder.pathOf("config.json"));
  const endIds = await generationEndIds(folder);
  const config =
    endIds.length > parsed.config.eosTokenIds.length
      ? { ...parsed.config, eosTokenIds: endIds }
      : parsed.config;
  return { config, unknownKeys: parsed.unknownKeys };
}

/** End ids of `generation_config.json`, which generation in `transformers` stops at. */
export async function generationEndIds(folder: FolderFiles): Promise<number[]> {
  const file = "generation_config.json";
  if (!(await folder.has(file))) return [];
  return endIdsOf(await readFolderJson(folder, file, "generation config"), folder.pathOf(file));
}

/** The `eos_token_id` of a config, which is an id, several, or none. */
export function endIdsOf(json: unknown, source: string): number[] {
  const ids = (json as { eos_token_id?: unknown } | null)?.eos_token_id ?? [];
  const result = z
    .union([
      z
        .int()
        .min(0)
        .transform((id) => [id]),
      z.array(z.int().min(0)),
    ])
    .safeParse(ids);
  if (result.success) return result.data;
  throw new PupilError(`${showValue(ids)} is no id and no list of ids.`, {
    field: `${source}: eos_token_id`,
    value: ids,
  });
}
