import type { Tokenizer } from "../data/index.js";
import { PupilError } from "../errors/index.js";
import {
  type Adapter,
  adapterFiles,
  type Decoder,
  decoderToTensors,
  encodeSafetensors,
  loadDecoder,
  type ModelConfig,
  planShards,
  scoreName,
  setActiveAdapter,
  toHuggingFaceConfig,
  type WeightDtype,
  weightFiles,
} from "../models/index.js";
import {
  adapterName,
  filesOfAdapter,
  holdsAdapter,
  loadFolderAdapter,
  readFolderAdapterConfig,
} from "./adapter.js";
import { openCheckpoint, weightsOf } from "./checkpoint.js";
import { type FileContent, type FolderFiles, jsonText } from "./folder-files.js";
import { readFolderConfig } from "./model-config.js";
import { readFolderTokenizer, tokenizerFiles, tokenizerFilesOf } from "./tokenizer.js";

/** A model with its tokenizer, as loaded from a Hugging Face folder. The caller owns the model. */
export interface LoadedModel {
  readonly model: Decoder;
  readonly tokenizer: Tokenizer;
  /** Config keys that were not understood and had no effect. */
  readonly unknownKeys: readonly string[];
}

/** Throws where a model of this size cannot be held; called before its weights are read. */
export type RequireFits = (config: ModelConfig, source: string) => void;

/**
 * Loads `config.json`, the weights (`model.safetensors`, or the files of an index) and
 * `tokenizer.json` of a folder. Where `generation_config.json` has more end ids than the config,
 * they replace the config's; where the config then has more than the tokenizer, the tokenizer's.
 *
 * @throws PupilError naming the file that is missing, damaged or of another kind
 */
export async function loadFolderModel(
  folder: FolderFiles,
  requireFits: RequireFits,
): Promise<LoadedModel> {
  const { config, unknownKeys } = await readFolderConfig(folder);
  const tokenizer = await readFolderTokenizer(folder, { modelEndIds: config.eosTokenIds });
  const weights = await openCheckpoint(folder);
  if (weights.entries.has(scoreName) && !config.tieWordEmbeddings) {
    throw new PupilError("It scores whole sequences and has no head of a language model.", {
      field: weights.source,
      remedy: `Start from the model that it was made of; rerankers whose head is the embedding's (tieWordEmbeddings) keep it.`,
    });
  }
  // Of a reranker the language model below its head, whose own head is the embedding.
  const entries = config.tieWordEmbeddings ? withoutScore(weights.entries) : weights.entries;
  const reader = { ...weights, entries };
  requireFits(config, weights.source);
  return { model: await loadDecoder(config, reader, weights.source), tokenizer, unknownKeys };
}

/**
 * The model of a base folder with the adapter of another, which is active and called `default`. The
 * tokenizer is the adapter's own, or the base model's.
 */
export async function loadFolderWithAdapter(
  adapter: FolderFiles,
  base: FolderFiles,
  requireFits: RequireFits,
): Promise<LoadedModel> {
  const config = await readFolderAdapterConfig(adapter);
  const { model, ...loaded } = await loadFolderModel(base, requireFits);
  try {
    await loadFolderAdapter(model, adapter, adapterName);
    setActiveAdapter(model, adapterName);
    const { eosTokenIds } = model.config;
    const tokenizer = (await adapter.has("tokenizer.json"))
      ? await readFolderTokenizer(adapter, { modelEndIds: eosTokenIds })
      : loaded.tokenizer;
    const unknownKeys = [
      ...loaded.unknownKeys,
      ...config.unknownKeys.map((key) => `${key} (${adapterFiles.config})`),
    ];
    return { model, tokenizer, unknownKeys };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** The names of all files that a model or an adapter is loaded from. */
export async function modelFileNames(folder: FolderFiles): Promise<string[]> {
  if (await holdsAdapter(folder)) {
    const own = (await folder.has("tokenizer.json")) ? await tokenizerFilesOf(folder) : [];
    return [adapterFiles.config, adapterFiles.weights, ...own];
  }
  const generation = "generation_config.json";
  return [
    "config.json",
    ...((await folder.has(generation)) ? [generation] : []),
    ...(await tokenizerFilesOf(folder)),
    ...(await weightsOf(folder)),
  ];
}

export interface SaveModelOptions {
  /** Format of the weights. Default: float32. */
  readonly dtype?: WeightDtype;
  /** Weights that need more are spread over several files with an index. Default: 2e9. */
  readonly maxShardBytes?: number;
}

/**
 * The files of a model folder, or with an active adapter those of the adapter alone, in float32: what
 * loading makes the same model of. The weights are those of now; each file is encoded when it is asked
 * for.
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

function withoutScore<E>(entries: ReadonlyMap<string, E>): ReadonlyMap<string, E> {
  return new Map([...entries].filter(([name]) => name !== scoreName));
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
