import { PupilError, showValue } from "../../errors/index.js";
import type { Tokenizer } from "../types.js";
import { byteTokenizerFromJson } from "./byte-tokenizer.js";
import { characterTokenizerFromJson } from "./character-tokenizer.js";
import { tokenBytesOf } from "./token-bytes.js";
import { unknownTextCheck } from "./unknown-text.js";
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
 * The tokenizer of a parsed `tokenizer.json`. Files written by `characterTokenizer` and
 * `byteTokenizer` give those back; everything else is run by transformers.js, which is loaded on
 * first use and gets the two objects: no network and no files.
 *
 * End ids are `options.endIds`, else the config's `eos_token`, else none. `padId` is the config's
 * `pad_token`, else the first end id, else 0. `decode` cleans up spaces only where the config
 * explicitly asks for it, so that decoding gives back what was encoded.
 *
 * @throws PupilError if the file is no tokenizer, is of an unsupported kind, or names a token that
 *   is not in the vocabulary.
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
  const hub = await loadHubTokenizer(file, config, source);
  const eosId = configTokenId(config, "eos_token", vocabulary, source);
  const ends = endIds ?? (eosId === undefined ? [] : [eosId]);
  for (const id of ends) assertKnownId(id, vocabulary, source);
  const padId = configTokenId(config, "pad_token", vocabulary, source) ?? ends[0] ?? 0;
  const encode = (text: string) => hub.encode(text, { add_special_tokens: false });
  const checkText = unknownTextCheck(file, vocabulary, encode);
  const tokenizer: Tokenizer = {
    vocabSize: vocabulary.size,
    startIds: findStartIds(hub, config, vocabulary, source),
    endIds: ends,
    padId,
    fingerprint: fingerprintVocabulary(vocabulary),
    encode: (text) => {
      const ids = encode(text);
      checkText(text, ids);
      return ids;
    },
    decode: (ids) => {
      // A model may have more rows than the vocabulary; its samples can hold such ids.
      const known = ids.filter((id) => id < vocabulary.size);
      if (known.length === 0) return "";
      return hub.decode(known, {
        skip_special_tokens: true,
        clean_up_tokenization_spaces: config.clean_up_tokenization_spaces === true,
      });
    },
    tokenBytes: tokenBytesOf(file, vocabulary),
    toJson: () => file,
    toConfigJson: () => (endIds === undefined ? config : { ...config, [endIdsKey]: endIds }),
  };
  return tokenizer;
}

/** The part of transformers.js's PreTrainedTokenizer that is used here. */
interface HubTokenizer {
  encode(text: string, options: { add_special_tokens: boolean }): number[];
  decode(
    ids: number[],
    options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean },
  ): string;
}

async function loadHubTokenizer(
  json: JsonObject,
  config: JsonObject,
  source: string,
): Promise<HubTokenizer> {
  const { PreTrainedTokenizer, env } = await import("@xenova/transformers");
  env.allowRemoteModels = false;
  // Files by older versions leave out what they do not use; transformers.js wants every key.
  const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
  try {
    return new PreTrainedTokenizer({ ...parts, added_tokens: [], ...json }, plainTokens(config));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PupilError(`transformers.js cannot build this tokenizer: ${reason}`, {
      field: source,
      remedy: "Check that the file is a complete tokenizer.json.",
      cause,
    });
  }
}

/** The config with `{content}` tokens as strings: transformers.js takes only some of the former. */
function plainTokens(config: JsonObject): JsonObject {
  const entries = Object.entries(config).map(([key, value]) => {
    const isToken = key.endsWith("_token") && isObject(value) && typeof value.content === "string";
    return [key, isToken ? value.content : value];
  });
  return Object.fromEntries(entries) as JsonObject;
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
  hub: HubTokenizer,
  config: JsonObject,
  vocabulary: Vocabulary,
  source: string,
): number[] {
  if (config.add_bos_token === false) return [];
  const plain = hub.encode("a", { add_special_tokens: false });
  const framed = hub.encode("a", { add_special_tokens: true });
  const start = framed.findIndex((_, i) => plain.every((id, j) => framed[i + j] === id));
  const ids = framed.slice(0, Math.max(0, start));
  if (ids.length > 0 || config.add_bos_token !== true) return ids;
  const bosId = configTokenId(config, "bos_token", vocabulary, source);
  return bosId === undefined ? [] : [bosId];
}
