import type { Tokenizer } from "../../data/index.js";
import { PupilError, requireMember, requireText } from "../../errors/index.js";
import {
  type LoadedModel,
  loadFolderModel,
  loadFolderWithAdapter,
  modelFiles,
  readFolderConfig,
  type SaveModelOptions,
} from "../../folders/index.js";
import { contextLength, type Decoder, type ModelConfig } from "../../models/index.js";
import {
  findBaseModel,
  hasTokenizer,
  isAdapterFolder,
  readAdapterConfig,
} from "./adapter-folder.js";
import { writeFolderAtomic } from "../files/atomic.js";
import { diskFolder } from "../files/disk-folder.js";
import { exists, isFolder } from "../files/file-exists.js";
import { loadTokenizer } from "./load-tokenizer.js";
import { requireModelFits } from "./model-memory.js";

/**
 * The model of a folder; of one with `adapter_config.json` (PEFT's layout) its base model with the
 * adapter, which is active and called `default`. The tokenizer is the folder's own, or the base model's.
 */
export async function loadModelFolder(path: string): Promise<LoadedModel> {
  requireText(path, {
    field: "loadModelFolder: path",
    remedy: "Give it the path of a model folder: await findModelFolder(name).",
  });
  if (await isAdapterFolder(path)) {
    const base = await findBaseModel(path, await readAdapterConfig(path));
    await requireFolder(base);
    return loadFolderWithAdapter(diskFolder(path), diskFolder(base), requireModelFits);
  }
  await requireFolder(path);
  return loadFolderModel(diskFolder(path), requireModelFits);
}

/** What a folder says about its model, without the weights. */
export async function readModelFolder(
  path: string,
): Promise<{ config: ModelConfig; unknownKeys: readonly string[]; tokenizer: Tokenizer }> {
  const parsed = await readModelConfig(path);
  return { ...parsed, tokenizer: await loadTokenizer(path, parsed.config.eosTokenIds) };
}

/** What decides how a model reads data. */
export interface ModelOutline {
  readonly tokenizer: Tokenizer;
  /** Longest sequence in tokens. */
  readonly maxPositions: number;
}

/** Of a model folder or an adapter's, without the weights. */
export async function readModelOutline(path: string): Promise<ModelOutline> {
  const isAdapter = await isAdapterFolder(path);
  const folder = isAdapter ? await findBaseModel(path, await readAdapterConfig(path)) : path;
  const { config } = await readModelConfig(folder);
  const own = isAdapter && (await hasTokenizer(path)) ? path : folder;
  return {
    tokenizer: await loadTokenizer(own, config.eosTokenIds),
    maxPositions: contextLength(config),
  };
}

/** The configuration of a folder, with the end ids of its `generation_config.json`. */
export async function readModelConfig(
  path: string,
): Promise<{ config: ModelConfig; unknownKeys: readonly string[] }> {
  await requireFolder(path);
  return readFolderConfig(diskFolder(path));
}

/** Writes a model folder (with an active adapter, that alone), complete or not at all. */
export async function saveModelFolder(
  path: string,
  model: Decoder,
  tokenizer: Tokenizer,
  options: SaveModelOptions = {},
): Promise<void> {
  for (const [name, value] of Object.entries({ model, tokenizer })) {
    const member = name === "model" ? "parameters" : "encode";
    requireMember(value, member, {
      field: `saveModelFolder: ${name}`,
      remedy: `Use: saveModelFolder(path, model, tokenizer).`,
    });
  }
  await writeFolderAtomic(path, await modelFiles(model, tokenizer, options));
}

async function requireFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  throw new PupilError(
    `The model folder ${(await exists(path)) ? "is a file" : "does not exist"}.`,
    {
      field: path,
      remedy: "Give a folder with config.json, model.safetensors and tokenizer.json.",
    },
  );
}

/** Notes about what a model's config says that has no effect. */
export function describeUnused(
  loaded: LoadedModel | undefined,
  from: string | undefined,
): string[] {
  if (loaded === undefined) return [];
  const { vocabSize, eosTokenIds } = loaded.model.config;
  const keys = loaded.unknownKeys;
  const never = eosTokenIds.filter((id) => id < 0 || id >= vocabSize);
  return [
    ...(keys.length > 0 ? [`Keys of ${from}/config.json without effect: ${keys.join(", ")}.`] : []),
    ...(never.length > 0
      ? [
          `End ids of ${from} that its ${vocabSize} tokens do not have: ${never.join(", ")}. They end nothing.`,
        ]
      : []),
  ];
}
