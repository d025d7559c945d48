import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type Tokenizer, tokenizerFromJson } from "../data/index.js";
import { PupilError } from "../errors/index.js";
import {
  type Decoder,
  decoderFromTensors,
  decoderToTensors,
  decodeSafetensors,
  encodeSafetensors,
  parseHuggingFaceConfig,
  toHuggingFaceConfig,
} from "../models/index.js";
import { writeFolderAtomic } from "./atomic.js";
import { readBytes, readJson } from "./read-files.js";

/** A model with its tokenizer, as loaded from a Hugging Face folder. The caller owns the model. */
export interface LoadedModel {
  readonly model: Decoder;
  readonly tokenizer: Tokenizer;
  /** Config keys that were not understood and had no effect. */
  readonly unknownKeys: readonly string[];
}

/** Loads `config.json`, `model.safetensors`, `tokenizer.json` from a folder. */
export async function loadModelFolder(path: string): Promise<LoadedModel> {
  await requireFolder(path);
  const configPath = join(path, "config.json");
  const { config, unknownKeys } = parseHuggingFaceConfig(
    await readJson(configPath, "model config"),
    configPath,
  );
  const tokenizer = await loadTokenizer(path);
  const weightsPath = join(path, "model.safetensors");
  const tensors = decodeSafetensors(await readBytes(weightsPath, "weights file"), weightsPath);
  return { model: decoderFromTensors(config, tensors, weightsPath), tokenizer, unknownKeys };
}

/** Loads the tokenizer of a folder, or from a `tokenizer.json` file. */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  const isFile = path.endsWith(".json");
  const file = isFile ? path : join(path, "tokenizer.json");
  const folder = isFile ? join(path, "..") : path;
  const json = await readJson(file, "tokenizer");
  const configFile = join(folder, "tokenizer_config.json");
  const hasConfig = await stat(configFile).then(
    () => true,
    () => false,
  );
  const config = hasConfig ? await readJson(configFile, "tokenizer config") : {};
  return tokenizerFromJson(json, file, { config });
}

/** The files of a model folder, in memory. */
export async function modelFiles(
  model: Decoder,
  tokenizer: Tokenizer,
  dtype: "float32" | "float16" = "float32",
): Promise<Map<string, string | Uint8Array>> {
  const weights = encodeSafetensors(await decoderToTensors(model), {
    dtype,
    metadata: { format: "pt" },
  });
  return new Map<string, string | Uint8Array>([
    ["config.json", jsonText(toHuggingFaceConfig(model.config, { dtype }))],
    ["model.safetensors", weights],
    ...tokenizerFiles(tokenizer),
  ]);
}

/** The files of a tokenizer beside a model. */
export function tokenizerFiles(tokenizer: Tokenizer): [string, string][] {
  return [
    ["tokenizer.json", jsonText(tokenizer.toJson())],
    ["tokenizer_config.json", jsonText(tokenizer.toConfigJson())],
  ];
}

export function jsonText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Writes a model folder, complete or not at all. */
export async function saveModelFolder(
  path: string,
  model: Decoder,
  tokenizer: Tokenizer,
  dtype: "float32" | "float16" = "float32",
): Promise<void> {
  await writeFolderAtomic(path, await modelFiles(model, tokenizer, dtype));
}

async function requireFolder(path: string): Promise<void> {
  const isFolder = await stat(path).then(
    (info) => info.isDirectory(),
    () => undefined,
  );
  if (isFolder) return;
  throw new PupilError(
    `The model folder ${isFolder === undefined ? "does not exist" : "is a file"}.`,
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
