import { join } from "node:path";
import type { Tokenizer } from "../data/index.js";
import {
  checkTensorNames,
  contextLength,
  type ModelConfig,
  modelSize,
  type ModelSize,
} from "../models/index.js";
import { openCheckpoint } from "./checkpoint-files.js";
import { findModelFolder } from "./find-model.js";
import { loadTokenizer } from "./load-tokenizer.js";
import { isFile, readModelConfig } from "./model-folder.js";

/** What a folder says about its model and tokenizer, without the weights themselves. */
export interface ModelReport {
  /** The model folder; the last checkpoint of a run. */
  readonly folder: string;
  readonly config: ModelConfig;
  readonly contextLength: number;
  /** Config keys that were not understood and have no effect. */
  readonly unknownKeys: readonly string[];
  readonly size: ModelSize;
  readonly stored: {
    readonly numFiles: number;
    /** Bytes of all tensors in the files. */
    readonly bytes: number;
    /** Number formats of the tensors. */
    readonly dtypes: readonly string[];
  };
  /** Absent where the folder has no tokenizer. */
  readonly tokenizer?: TokenizerReport;
}

/** An id with what stands for it in the tokenizer's file, where that is a special token. */
export interface SpecialToken {
  readonly id: number;
  readonly text?: string;
}

export interface TokenizerReport {
  /** The model's type in `tokenizer.json`, such as BPE. */
  readonly kind: string;
  readonly vocabSize: number;
  readonly special: readonly SpecialToken[];
  readonly startIds: readonly SpecialToken[];
  readonly endIds: readonly SpecialToken[];
  readonly padId: SpecialToken;
  readonly hasChatTemplate: boolean;
}

/**
 * Inspects a model folder or a run folder: reads config, tokenizer and the headers of the weights.
 *
 * @throws PupilError as loading it would, but for damaged values
 */
export async function inspectModel(path: string): Promise<ModelReport> {
  const folder = await findModelFolder(path);
  const { config, unknownKeys } = await readModelConfig(folder);
  const { entries, files, source } = await openCheckpoint(folder);
  checkTensorNames(config, entries, source);
  const tensors = [...entries.values()];
  const hasTokenizer = await isFile(join(folder, "tokenizer.json"));
  return {
    folder,
    config,
    contextLength: contextLength(config),
    unknownKeys,
    size: modelSize(config),
    stored: {
      numFiles: files.length,
      bytes: tensors.reduce((sum, { begin, end }) => sum + end - begin, 0),
      dtypes: [...new Set(tensors.map(({ dtype }) => dtype))],
    },
    ...(hasTokenizer && {
      tokenizer: await inspectTokenizer(
        await loadTokenizer(folder, config.eosTokenIds),
        await isFile(join(folder, "chat_template.jinja")),
      ),
    }),
  };
}

interface TokenizerJson {
  readonly model?: { readonly type?: string };
  readonly added_tokens?: readonly { id: number; content: string; special?: boolean }[];
}

function inspectTokenizer(tokenizer: Tokenizer, hasTemplateFile: boolean): TokenizerReport {
  const json = tokenizer.toJson() as TokenizerJson;
  const config = tokenizer.toConfigJson() as { chat_template?: unknown };
  const special = (json.added_tokens ?? [])
    .filter((token) => token.special === true)
    .map(({ id, content }) => ({ id, text: content }));
  const named = (id: number) => special.find((token) => token.id === id) ?? { id };
  return {
    kind: json.model?.type ?? "unknown",
    vocabSize: tokenizer.vocabSize,
    special,
    startIds: tokenizer.startIds.map(named),
    endIds: tokenizer.endIds.map(named),
    padId: named(tokenizer.padId),
    hasChatTemplate: hasTemplateFile || config.chat_template != null,
  };
}
