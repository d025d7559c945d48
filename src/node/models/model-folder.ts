import { join } from "node:path";
import { z } from "zod";
import type { Tokenizer } from "../../data/index.js";
import { PupilError, requireMember, requireText, showValue } from "../../errors/index.js";
import {
  type Adapter,
  adapterFiles,
  contextLength,
  type Decoder,
  decoderToTensors,
  encodeSafetensors,
  loadDecoder,
  type ModelConfig,
  parseHuggingFaceConfig,
  planShards,
  scoreName,
  setActiveAdapter,
  toHuggingFaceConfig,
  type WeightDtype,
  weightFiles,
} from "../../models/index.js";
import {
  adapterName,
  filesOfAdapter,
  findBaseModel,
  hasTokenizer,
  isAdapterFolder,
  loadAdapter,
  readAdapterConfig,
} from "./adapter-folder.js";
import { type FileContent, writeFolderAtomic } from "../files/atomic.js";
import { openCheckpoint } from "./checkpoint-files.js";
import { exists, isFile, isFolder } from "../files/file-exists.js";
import { loadTokenizer } from "./load-tokenizer.js";
import { readJson } from "../files/read-files.js";
import { requireModelFits } from "./model-memory.js";
import { jsonText, tokenizerFiles } from "./tokenizer-files.js";

/** A model with its tokenizer, as loaded from a Hugging Face folder. The caller owns the model. */
export interface LoadedModel {
  readonly model: Decoder;
  readonly tokenizer: Tokenizer;
  /** Config keys that were not understood and had no effect. */
  readonly unknownKeys: readonly string[];
}

/**
 * The model of a folder; of one with `adapter_config.json` (PEFT's layout) its base model with the
 * adapter, which is active and called `default`. The tokenizer is the folder's own, or the base model's.
 */
export async function loadModelFolder(path: string): Promise<LoadedModel> {
  requireText(path, {
    field: "loadModelFolder: path",
    remedy: "Give it the path of a model folder: await findModelFolder(name).",
  });
  if (!(await isAdapterFolder(path))) return loadPlainFolder(path);
  const adapter = await readAdapterConfig(path);
  const { model, ...base } = await loadPlainFolder(await findBaseModel(path, adapter));
  try {
    await loadAdapter(model, path, adapterName);
    setActiveAdapter(model, adapterName);
    const tokenizer = (await hasTokenizer(path))
      ? await loadTokenizer(path, model.config.eosTokenIds)
      : base.tokenizer;
    const unknownKeys = [
      ...base.unknownKeys,
      ...adapter.unknownKeys.map((key) => `${key} (${adapterFiles.config})`),
    ];
    return { model, tokenizer, unknownKeys };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/**
 * Loads `config.json`, the weights (`model.safetensors`, or the files of an index) and
 * `tokenizer.json` from a folder. Where `generation_config.json` has more end ids than the config,
 * they replace the config's; where the config then has more than the tokenizer, the tokenizer's.
 */
async function loadPlainFolder(path: string): Promise<LoadedModel> {
  const { config, unknownKeys, tokenizer } = await readModelFolder(path);
  const weights = await openCheckpoint(path);
  if (weights.entries.has(scoreName) && !config.tieWordEmbeddings) {
    throw new PupilError("It scores whole sequences and has no head of a language model.", {
      field: weights.source,
      remedy: `Start from the model that it was made of; rerankers whose head is the embedding's (tieWordEmbeddings) keep it.`,
    });
  }
  // Of a reranker the language model below its head, whose own head is the embedding.
  const entries = config.tieWordEmbeddings ? withoutScore(weights.entries) : weights.entries;
  const reader = { ...weights, entries };
  requireModelFits(config, weights.source);
  return { model: await loadDecoder(config, reader, weights.source), tokenizer, unknownKeys };
}

function withoutScore<E>(entries: ReadonlyMap<string, E>): ReadonlyMap<string, E> {
  return new Map([...entries].filter(([name]) => name !== scoreName));
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
  const configPath = join(path, "config.json");
  const parsed = parseHuggingFaceConfig(await readJson(configPath, "model config"), configPath);
  const endIds = await generationEndIds(path);
  const config =
    endIds.length > parsed.config.eosTokenIds.length
      ? { ...parsed.config, eosTokenIds: endIds }
      : parsed.config;
  return { config, unknownKeys: parsed.unknownKeys };
}

/** End ids of `generation_config.json`, which generation in `transformers` stops at. */
export async function generationEndIds(folder: string): Promise<number[]> {
  const path = join(folder, "generation_config.json");
  if (!(await isFile(path))) return [];
  return endIdsOf(await readJson(path, "generation config"), path);
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

export interface SaveModelOptions {
  /** Format of the weights. Default: float32. */
  readonly dtype?: WeightDtype;
  /** Weights that need more are spread over several files with an index. Default: 2e9. */
  readonly maxShardBytes?: number;
}

/**
 * The files of a model folder, or with an active adapter those of the adapter alone, in float32: what
 * {@link loadModelFolder} makes the same model of. The weights are those of now; each file is encoded
 * when it is asked for.
 *
 * @throws PupilError for an active adapter whose base model has no name
 */
export async function modelFiles(
  model: Decoder,
  tokenizer: Tokenizer,
  { dtype = "float32", maxShardBytes = 2e9 }: SaveModelOptions = {},
): Promise<Map<string, FileContent>> {
  const { active, merged } = model.adapters;
  if (active !== undefined && merged === undefined) {
    requireBaseModel(active);
    return filesOfAdapter(model, active, tokenizer);
  }
  const { files, index } = planShards(await decoderToTensors(model), { dtype, maxShardBytes });
  const weights = [...files].map(([name, tensors]): [string, FileContent] => [
    name,
    () => encodeSafetensors(tensors, { dtype, metadata: { format: "pt" } }),
  ]);
  return new Map<string, FileContent>([
    ["config.json", jsonText(toHuggingFaceConfig(model.config, { dtype }))],
    ...weights,
    ...(index ? [[weightFiles.index, jsonText(index)] as const] : []),
    ...tokenizerFiles(tokenizer),
  ]);
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

function requireBaseModel({ name, settings }: Adapter): void {
  if (settings.baseModel !== undefined) return;
  throw new PupilError(
    `The adapter "${name}" cannot be saved without the name of its base model.`,
    {
      field: "baseModel",
      remedy: "Give it to addAdapter, or merge the adapter first (mergeAdapter).",
    },
  );
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

/** A note about keys of a model's config that have no effect. */
export function describeUnknownKeys(
  loaded: LoadedModel | undefined,
  from: string | undefined,
): string[] {
  const keys = loaded?.unknownKeys ?? [];
  return keys.length === 0
    ? []
    : [`Keys of ${from}/config.json without effect: ${keys.join(", ")}.`];
}
