import type { Tokenizer } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import { openCheckpoint } from "../../folders/index.js";
import {
  cacheBytesPerToken,
  checkTensorNames,
  contextLength,
  type ModelConfig,
  type ParameterGroups,
  parameterGroups,
  type PeftConfig,
} from "../../models/index.js";
import { diskFolder } from "../files/disk-folder.js";
import {
  findBaseModel,
  hasTokenizer,
  isAdapterFolder,
  readAdapterConfig,
  readAdapterWeights,
} from "./adapter-folder.js";
import { findModelFolder } from "./find-model.js";
import { loadTokenizer } from "./load-tokenizer.js";
import { readModelConfig } from "./model-folder.js";

/** What there is to know about a model folder without loading its weights. */
export interface ModelInfo {
  /** The folder, or the last checkpoint of a run folder. */
  readonly path: string;
  readonly config: ModelConfig;
  /** Longest sequence in tokens. */
  readonly contextLength: number;
  readonly unknownKeys: readonly string[];
  readonly groups: ParameterGroups;
  readonly parameters: number;
  readonly weights: {
    readonly files: number;
    readonly tensors: number;
    /** Number formats in the files, such as F32. */
    readonly dtypes: readonly string[];
    readonly bytes: number;
  };
  /** What training and generating takes, in bytes, besides activations. */
  readonly memory: {
    readonly weights: number;
    readonly gradients: number;
    readonly optimizer: number;
    readonly cachePerToken: number;
  };
  /** Where the folder holds an adapter; everything else is then about its base model. */
  readonly adapter?: AdapterInfo;
  /** Or what is wrong with it: the rest of the folder may be of use all the same. */
  readonly tokenizer: TokenizerInfo | { readonly problem: string };
}

interface AdapterInfo {
  /** Folder of the base model. */
  readonly base: string;
  readonly settings: PeftConfig["settings"];
  /** All that is trained. */
  readonly parameters: number;
}

interface TokenizerInfo {
  readonly type: string;
  readonly vocabSize: number;
  readonly startIds: readonly number[];
  readonly endIds: readonly number[];
  readonly padId: number;
  readonly hasChatTemplate: boolean;
}

/**
 * Reads the headers of a model folder or run folder; its weights stay on disk.
 *
 * @throws PupilError as loading would, but for damaged values
 */
export async function readModelInfo(path: string): Promise<ModelInfo> {
  const found = await findModelFolder(path);
  const adapter = (await isAdapterFolder(found)) ? await adapterInfo(found) : undefined;
  const folder = adapter?.base ?? found;
  const { config, unknownKeys } = await readModelConfig(folder);
  const { entries, files, source } = await openCheckpoint(diskFolder(folder));
  checkTensorNames(config, entries, source);
  const groups = parameterGroups(config);
  const parameters = Object.values(groups).reduce((sum: number, count: number) => sum + count, 0);
  const trained = adapter?.parameters ?? parameters;
  const stored = [...entries.values()];
  return {
    path: found,
    config,
    contextLength: contextLength(config),
    unknownKeys,
    groups,
    parameters,
    weights: {
      files: files.length,
      tensors: stored.length,
      dtypes: [...new Set(stored.map(({ dtype }) => dtype))],
      bytes: stored.reduce((sum, { begin, end }) => sum + end - begin, 0),
    },
    memory: {
      weights: 4 * (adapter ? parameters + trained : parameters),
      gradients: 4 * trained,
      optimizer: 8 * trained,
      cachePerToken: cacheBytesPerToken(config),
    },
    ...(adapter && { adapter }),
    tokenizer: await tokenizerInfo(adapter && (await hasTokenizer(found)) ? found : folder, config),
  };
}

async function adapterInfo(path: string): Promise<AdapterInfo> {
  const config = await readAdapterConfig(path);
  const { tensors } = await readAdapterWeights(path);
  const parameters = [...tensors.values()].reduce((sum, { data }) => sum + data.length, 0);
  return {
    base: await findBaseModel(path, config),
    settings: config.settings,
    parameters,
  };
}

async function tokenizerInfo(
  folder: string,
  { eosTokenIds }: ModelConfig,
): Promise<ModelInfo["tokenizer"]> {
  let tokenizer: Tokenizer;
  try {
    tokenizer = await loadTokenizer(folder, eosTokenIds);
  } catch (error) {
    if (error instanceof PupilError) return { problem: error.message };
    throw error;
  }
  const { vocabSize, startIds, endIds, padId } = tokenizer;
  const { model } = tokenizer.toJson() as { model?: { type?: unknown } };
  return {
    type: String(model?.type ?? "unknown"),
    ...{ vocabSize, startIds, endIds, padId },
    hasChatTemplate: "chat_template" in tokenizer.toConfigJson(),
  };
}
