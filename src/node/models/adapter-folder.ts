import { join } from "node:path";
import type { Tokenizer } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import {
  filesOfAdapter,
  loadFolderAdapter,
  readFolderAdapterConfig,
  readFolderAdapterWeights,
} from "../../folders/index.js";
import { type Adapter, adapterFiles, type Decoder, type PeftConfig } from "../../models/index.js";
import { writeFolderAtomic } from "../files/atomic.js";
import { diskFolder } from "../files/disk-folder.js";
import { isFile } from "../files/file-exists.js";

/** Whether a folder holds an adapter and not a whole model. */
export function isAdapterFolder(path: string): Promise<boolean> {
  return isFile(join(path, adapterFiles.config));
}

/** Whether an adapter's folder has a tokenizer of its own; else the base model's is meant. */
export function hasTokenizer(path: string): Promise<boolean> {
  return isFile(join(path, "tokenizer.json"));
}

/** An adapter's `adapter_config.json`. */
export function readAdapterConfig(path: string): Promise<PeftConfig> {
  return readFolderAdapterConfig(diskFolder(path));
}

/**
 * The folder of the base model that an adapter names: a path from where the process runs, or from the
 * adapter's own folder.
 */
export async function findBaseModel(path: string, { settings }: PeftConfig): Promise<string> {
  const field = `${join(path, adapterFiles.config)}: base_model_name_or_path`;
  const { baseModel } = settings;
  if (baseModel === undefined) {
    throw new PupilError("The adapter names no base model.", {
      field,
      remedy: "Write the folder of the model that it was made for there.",
    });
  }
  const places = [baseModel, join(path, baseModel)];
  for (const place of places) {
    if (await isAdapterFolder(place)) {
      throw new PupilError(`The base model "${baseModel}" is an adapter itself.`, {
        field,
        value: baseModel,
        remedy: `Make a model of it first: pupil merge ${place} output=<folder>.`,
      });
    }
    if (await isFile(join(place, "config.json"))) return place;
  }
  throw new PupilError(`There is no model folder "${baseModel}".`, {
    field,
    value: baseModel,
    remedy: `Looked at ${places.join(" and ")}. Write the folder of the adapter's base model there; one of the hub must be downloaded first.`,
  });
}

/**
 * Adds the adapter of a folder in PEFT's layout to a model; it is not active yet.
 *
 * @throws PupilError if it is of another kind, needs what we do not have, or does not fit the model
 */
export function loadAdapter(decoder: Decoder, path: string, name: string): Promise<Adapter> {
  return loadFolderAdapter(decoder, diskFolder(path), name);
}

/** An adapter's `adapter_model.safetensors`. */
export function readAdapterWeights(path: string) {
  return readFolderAdapterWeights(diskFolder(path));
}

/** Writes one adapter of a model as a folder that PEFT loads, complete or not at all. */
export async function saveAdapter(
  path: string,
  decoder: Decoder,
  name: string,
  tokenizer: Tokenizer,
): Promise<void> {
  const adapter = decoder.adapters.get(name);
  await writeFolderAtomic(path, await filesOfAdapter(decoder, adapter, tokenizer));
}
