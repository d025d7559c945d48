import type { Tokenizer } from "../data/index.js";
import { PupilError } from "../errors/index.js";
import {
  type Adapter,
  adapterFiles,
  adapterToTensors,
  addPeftAdapter,
  type Decoder,
  decodeSafetensors,
  encodeSafetensors,
  families,
  type LoadedTensor,
  parsePeftConfig,
  type PeftConfig,
  toPeftConfig,
} from "../models/index.js";
import {
  type FileContent,
  type FolderFiles,
  jsonText,
  readFolderBytes,
  readFolderJson,
} from "./folder-files.js";
import { tokenizerFiles } from "./tokenizer.js";

/** What an adapter is called in the model of a folder. */
export const adapterName = "default";

/** Whether a folder holds an adapter and not a whole model. */
export function holdsAdapter(folder: FolderFiles): Promise<boolean> {
  return folder.has(adapterFiles.config);
}

/** An adapter's `adapter_config.json`. */
export async function readFolderAdapterConfig(folder: FolderFiles): Promise<PeftConfig> {
  const json = await readFolderJson(folder, adapterFiles.config, "adapter config");
  return parsePeftConfig(json, folder.pathOf(adapterFiles.config));
}

/** An adapter's `adapter_model.safetensors`. */
export async function readFolderAdapterWeights(
  folder: FolderFiles,
): Promise<{ tensors: Map<string, LoadedTensor>; source: string }> {
  const file = adapterFiles.weights;
  const older = file.replace(/safetensors$/, "bin");
  if (!(await folder.has(file)) && (await folder.has(older))) {
    throw new PupilError("The adapter's weights are in another format.", {
      field: folder.pathOf(older),
      remedy:
        "Load it in Python and write it with save_pretrained, which makes a safetensors file.",
    });
  }
  const source = folder.pathOf(file);
  const bytes = await readFolderBytes(folder, file, "adapter's weights file");
  return { tensors: decodeSafetensors(bytes, source), source };
}

/**
 * Adds the adapter of a folder in PEFT's layout to a model; it is not active yet.
 *
 * @throws PupilError if it is of another kind, needs what we do not have, or does not fit the model
 */
export async function loadFolderAdapter(
  decoder: Decoder,
  folder: FolderFiles,
  name: string,
): Promise<Adapter> {
  const config = await readFolderAdapterConfig(folder);
  const { tensors, source } = await readFolderAdapterWeights(folder);
  return addPeftAdapter(decoder, name, config, tensors, source);
}

/** The files of an adapter folder that PEFT loads, as the adapter is now, with the tokenizer. */
export async function filesOfAdapter(
  { config }: Decoder,
  adapter: Adapter,
  tokenizer: Tokenizer,
): Promise<Map<string, FileContent>> {
  const { weightLayout } = families[config.family];

  const tensors = await adapterToTensors(adapter);
  return new Map<string, FileContent>([
    [adapterFiles.config, jsonText(toPeftConfig(adapter.settings, weightLayout))],
    [adapterFiles.weights, () => encodeSafetensors(tensors, { dtype: "float32" })],
    ...tokenizerFiles(tokenizer),
  ]);
}
