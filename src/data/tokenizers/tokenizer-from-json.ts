import { PupilError, showValue } from "../../errors/index.js";
import type { Tokenizer } from "../types.js";
import { byteTokenizerFromJson } from "./byte-tokenizer.js";
import { characterTokenizerFromJson } from "./character-tokenizer.js";
import { cleanUpSpaces } from "./engine/decoders.js";
import { type TokenizerEngine, tokenizerEngine } from "./engine/engine.js";
import { tokenBytesOf } from "./token-bytes.js";
import { losslessEncoder } from "./unknown-text.js";
import {
  fingerprintVocabulary,
  isObject,
  type JsonObject,
  readVocabulary,
  type Vocabulary,
} from "./vocabulary.js";

export interface TokenizerOptions {
  /** The parsed `tokenizer_config.json`: names the end, padding and start tokens. */
  readonly config?: unknown;
  /** Replaces the end token of the config, for models that end texts another way. */
  readonly endIds?: readonly number[];
}

/** Where a config that we wrote keeps end ids that its `eos_token` cannot express. */
const endIdsKey = "pupil_end_ids";

/**
 * The tokenizer of a parsed `tokenizer.json`: the same ids and texts as Python's tokenizers gives.
 * Files written by `characterTokenizer` and `byteTokenizer` give those back.
 *
 * End ids are `options.endIds`, else the config's `eos_token`, else none. `padId` is the config's
 * `pad_token`, else the first end id, else 0. `decode` cleans up spaces only where the config
 * explicitly asks for it and the model is no BPE, as in transformers 5.
 *
 * Text that would become the unknown token is an error, but for word-level tokenizers, to which it is a
 * word like others; those have an `unknownId`.
 *
 * @throws PupilError if the file is no tokenizer, has a part that is not known to be run exactly (it is
 *   named), or names a token that is not in the vocabulary.
 */
export async function tokenizerFromJson(
  json: unknown,
  source: string,
  options: TokenizerOptions = {},
): Promise<Tokenizer> {
  const vocabulary = readVocabulary(json, source);
  const file = json as JsonObject;
  const config = isObject(options.config) ? options.config : {};
  const own = characterTokenizerFromJson(file) ?? byteTokenizerFromJson(file);
  const endIds = options.endIds ?? storedEndIds(config);
  if (own !== undefined) return endIds === undefined ? own : withEndIds(own, endIds);
  const engine = tokenizerEngine(file, vocabulary, source);
  const eosId = configTokenId(config, "eos_token", vocabulary, source);
  const ends = endIds ?? (eosId === undefined ? [] : [eosId]);
  for (const id of ends) assertKnownId(id, vocabulary, source);
  const padId = configTokenId(config, "pad_token", vocabulary, source) ?? ends[0] ?? 0;
  const allowsUnknown = engine.unknownId !== undefined && vocabulary.modelType === "WordLevel";
  const cleansUp = config.clean_up_tokenization_spaces === true && vocabulary.modelType !== "BPE";
  const tokenizer: Tokenizer = {
    vocabSize: vocabulary.size,
    startIds: findStartIds(engine, config, vocabulary, source),
    endIds: ends,
    padId,
    ...(allowsUnknown ? { unknownId: engine.unknownId as number } : {}),
    fingerprint: fingerprintVocabulary(vocabulary),
    encode: losslessEncoder(engine, allowsUnknown),
    decode: (ids) => {
      const text = engine.decode(ids, true);
      return cleansUp ? cleanUpSpaces(text) : text;
    },
    tokenBytes: tokenBytesOf(file, vocabulary),
    toJson: () => file,
    toConfigJson: () => (endIds === undefined ? config : { ...config, [endIdsKey]: endIds }),
  };
  return tokenizer;
}

function withEndIds(tokenizer: Tokenizer, endIds: readonly number[]): Tokenizer {
  const toConfigJson = () => ({ ...tokenizer.toConfigJson(), [endIdsKey]: endIds });
  return { ...tokenizer, endIds, toConfigJson };
}

function storedEndIds(config: JsonObject): readonly number[] | undefined {
  const ids = config[endIdsKey];
  return Array.isArray(ids) && ids.every((id) => Number.isInteger(id)) ? ids : undefined;
}

function assertKnownId(id: number, vocabulary: Vocabulary, source: string): void {
  if (Number.isInteger(id) && id >= 0 && id < vocabulary.size) return;
  throw new PupilError(`the end id ${id} is not an id of ${source}.`, {
    field: "endIds",
    value: id,
    remedy: `Its ids are 0 to ${vocabulary.size - 1}.`,
  });
}

/** Tokens in configs are strings or `{content}` objects. */
function configTokenId(
  config: JsonObject,
  key: "eos_token" | "pad_token" | "bos_token",
  vocabulary: Vocabulary,
  source: string,
): number | undefined {
  const entry = config[key];
  const token = isObject(entry) ? entry.content : entry;
  if (token == null) return undefined;
  const id = typeof token === "string" ? vocabulary.ids.get(token) : undefined;
  if (id !== undefined) return id;
  throw new PupilError(`${showValue(token)} is not in the vocabulary of ${source}.`, {
    field: `tokenizer_config.json: ${key}`,
    value: token,
    remedy: "Use the two files of the same model.",
  });
}

/** What the post-processor puts before a text (Llama: BOS; GPT-2: nothing). */
function findStartIds(
  engine: TokenizerEngine,
  config: JsonObject,
  vocabulary: Vocabulary,
  source: string,
): number[] {
  if (config.add_bos_token === false) return [];
  const text = -1;
  const framed = engine.frame([text]);
  const ids = framed.slice(0, Math.max(0, framed.indexOf(text)));
  if (ids.length > 0 || config.add_bos_token !== true) return ids;
  const bosId = configTokenId(config, "bos_token", vocabulary, source);
  return bosId === undefined ? [] : [bosId];
}
