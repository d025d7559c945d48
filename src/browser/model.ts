import { PupilError } from "../errors/index.js";
import {
  backendLimits,
  type FolderFiles,
  holdsAdapter,
  type LoadedModel,
  loadFolderModel,
  loadFolderWithAdapter,
  readFolderAdapterConfig,
  requireWithin,
} from "../folders/index.js";
import type { ModelConfig } from "../models/index.js";

export interface LoadModelOptions {
  /** The folder of the base model, where the folder holds an adapter in PEFT's layout. */
  readonly base?: FolderFiles;
}

/**
 * The model and the tokenizer of a Hugging Face folder: of a server ({@link urlFolder}), of this browser's
 * storage ({@link storedFolder}) or of a zip ({@link zipFolder}). Needs a started backend; the caller owns
 * the model.
 *
 * @throws PupilError naming the file that is missing, cut, damaged or of another kind
 */
export async function loadModel(
  folder: FolderFiles,
  { base }: LoadModelOptions = {},
): Promise<LoadedModel> {
  if (!(await holdsAdapter(folder))) return loadFolderModel(folder, requireFits);
  if (base !== undefined) return loadFolderWithAdapter(folder, base, requireFits);
  const { settings } = await readFolderAdapterConfig(folder);
  const of = settings.baseModel === undefined ? "" : ` of "${settings.baseModel}"`;
  throw new PupilError(`The folder holds an adapter${of}, not a whole model.`, {
    field: folder.name,
    remedy: "Give the folder of its base model too: loadModel(folder, { base }).",
  });
}

function requireFits(config: ModelConfig, source: string): void {
  requireWithin(config, source, backendLimits());
}
