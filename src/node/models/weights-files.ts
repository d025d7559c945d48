import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { findBaseModel, isAdapterFolder, readAdapterConfig } from "./adapter-folder.js";

/** The files of a model folder that decide what it says; of an adapter, its base model's too. */
export async function weightsFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  const own = names
    .filter((name) => name.endsWith(".safetensors") && name !== "optimizer.safetensors")
    .sort()
    .map((name) => join(folder, name));
  if (!(await isAdapterFolder(folder))) return own;
  const base = await findBaseModel(folder, await readAdapterConfig(folder));
  return [...own, ...(await weightsFiles(base))];
}
