import { join } from "node:path";
import type { Tokenizer } from "../../data/index.js";
import {
  type FileContent,
  jsonText,
  openCheckpoint,
  type SaveModelOptions,
  tokenizerFiles,
} from "../../folders/index.js";
import {
  encodeSafetensors,
  headKeys,
  loadSequenceModel,
  parseHeadConfig,
  planShards,
  type SequenceModel,
  sequenceModelToTensors,
  toHeadKeys,
  toHuggingFaceConfig,
  weightFiles,
} from "../../models/index.js";
import { diskFolder } from "../files/disk-folder.js";
import { writeFolderAtomic } from "../files/atomic.js";
import { readModelFolder } from "./model-folder.js";
import { readJson } from "../files/read-files.js";

/** A model with a head for whole sequences and its tokenizer. The caller owns the model. */
export interface LoadedSequenceModel {
  readonly model: SequenceModel;
  readonly tokenizer: Tokenizer;
  /** Config keys that were not understood and had no effect. */
  readonly unknownKeys: readonly string[];
}

/**
 * Loads a reranker, reward model or classifier from a Hugging Face folder, such as
 * `LlamaForSequenceClassification` saves.
 */
export async function loadSequenceModelFolder(path: string): Promise<LoadedSequenceModel> {
  const { config, unknownKeys, tokenizer } = await readModelFolder(path);
  const configPath = join(path, "config.json");
  const head = parseHeadConfig(await readJson(configPath, "model config"), configPath);
  const weights = await openCheckpoint(diskFolder(path));
  return {
    model: await loadSequenceModel(config, head, weights, weights.source),
    tokenizer,
    unknownKeys: unknownKeys.filter((key) => !headKeys.includes(key)),
  };
}

/**
 * Writes a folder that `AutoModelForSequenceClassification` of Python `transformers` loads, complete or
 * not at all. An active adapter is merged into what is written. The config gets the tokenizer's pad id
 * if it has none, without which `transformers` takes one sequence at a time.
 */
export async function saveSequenceModelFolder(
  path: string,
  model: SequenceModel,
  tokenizer: Tokenizer,
  options: SaveModelOptions = {},
): Promise<void> {
  await writeFolderAtomic(path, await sequenceModelFiles(model, tokenizer, options));
}

/** The files of such a folder. */
export async function sequenceModelFiles(
  model: SequenceModel,
  tokenizer: Tokenizer,
  { dtype = "float32", maxShardBytes = 2e9 }: SaveModelOptions = {},
): Promise<Map<string, FileContent>> {
  const tensors = await sequenceModelToTensors(model);
  const { files, index } = planShards(tensors, { dtype, maxShardBytes });
  const { padTokenId } = model.config;
  const config = { ...model.config, padTokenId: padTokenId ?? tokenizer.padId };
  const json = { ...toHuggingFaceConfig(config, { dtype }), ...toHeadKeys(config, model.head) };
  return new Map<string, FileContent>([
    ["config.json", jsonText(json)],
    ...[...files].map(([name, part]): [string, FileContent] => [
      name,
      () => encodeSafetensors(part, { dtype }),
    ]),
    ...(index ? [[weightFiles.index, jsonText(index)] as const] : []),
    ...tokenizerFiles(tokenizer),
  ]);
}
