import { PupilError, showValue } from "../../errors/index.js";
import { hashHex } from "../hash.js";

/** Tokens of a `tokenizer.json`: its model's vocabulary and its added tokens. */
export interface Vocabulary {
  readonly modelType: string;
  readonly ids: ReadonlyMap<string, number>;
  /** Those of the model alone, without added tokens. */
  readonly modelIds: ReadonlyMap<string, number>;
  /** The token of each of the model's ids. A list can hold a token twice; then `modelIds` has the last. */
  readonly modelTokens: ReadonlyMap<number, string>;
  readonly specialTokens: ReadonlySet<string>;
  /** Highest id + 1: what a model's vocabulary must at least hold. */
  readonly size: number;
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Ten times as many as any tokenizer has: models and tables have a row for every id up to the last. */
const largestId = 4_000_000;

/** Whether something is an id of a vocabulary of a size. */
export function isTokenId(id: unknown, vocabSize: number): id is number {
  return Number.isInteger(id) && (id as number) >= 0 && (id as number) < vocabSize;
}

/** Reads the vocabulary of a Hugging Face `tokenizer.json`; throws a PupilError if there is none. */
export function readVocabulary(json: unknown, source: string): Vocabulary {
  const model = isObject(json) ? json.model : undefined;
  if (!isObject(json) || !isObject(model)) {
    throw new PupilError('is not a tokenizer.json: it has no "model".', {
      field: source,
      remedy: "Give the tokenizer.json of a Hugging Face model folder.",
    });
  }
  const ids = new Map<string, number>();
  const modelTokens = new Map<number, string>();
  const add = (token: unknown, id: unknown, where: string): void => {
    if (typeof token !== "string" || !isTokenId(id, Number.POSITIVE_INFINITY)) {
      throw new PupilError(`${where} does not map a token to an id.`, {
        field: source,
        value: [token, id],
        remedy: "The file seems damaged: fetch or export it again.",
      });
    }
    if (id > largestId) {
      throw new PupilError(`${where} has the id ${id}, which no vocabulary needs.`, {
        field: source,
        value: id,
        remedy: `Ids up to ${largestId} are read: fetch or export the file again.`,
      });
    }
    ids.set(token, id);
  };
  if (Array.isArray(model.vocab)) {
    // Unigram: [token, score] pairs in id order.
    for (const [id, entry] of (model.vocab as unknown[]).entries()) {
      const token: unknown = Array.isArray(entry) ? entry[0] : undefined;
      add(token, id, `model.vocab[${id}]`);
      modelTokens.set(id, token as string);
    }
  } else if (isObject(model.vocab)) {
    for (const [token, id] of Object.entries(model.vocab)) {
      add(token, id, `model.vocab[${showValue(token)}]`);
      modelTokens.set(id as number, token);
    }
  } else {
    throw new PupilError('is not a tokenizer.json: it has no "model.vocab".', {
      field: source,
      remedy: "Give the tokenizer.json of a Hugging Face model folder.",
    });
  }
  const modelIds = new Map(ids);
  const specialTokens = new Set<string>();
  const addedTokens = Array.isArray(json.added_tokens) ? (json.added_tokens as unknown[]) : [];
  for (const [index, token] of addedTokens.entries()) {
    const { content, id, special } = isObject(token) ? token : {};
    add(content, id, `added_tokens[${index}]`);
    if (special === true) specialTokens.add(content as string);
  }
  let size = 0;
  for (const id of ids.values()) size = Math.max(size, id + 1);
  return {
    modelType: typeof model.type === "string" ? model.type : showValue(model.type),
    ids,
    modelIds,
    modelTokens,
    specialTokens,
    size,
  };
}

/** The token of every id, those of added tokens too. */
export function tokensById({ modelTokens, ids }: Vocabulary): Map<number, string> {
  const tokens = new Map(modelTokens);
  for (const [token, id] of ids) tokens.set(id, token);
  return tokens;
}

/**
 * Hash of the model type and the token at each id. Merges and normalisation are left out on purpose:
 * they are written differently by different versions of the libraries, and logits of two models
 * can be compared as soon as the same id means the same token.
 */
export function fingerprintVocabulary({ modelType, ids }: Vocabulary): string {
  const entries = [...ids].sort(([a, i], [b, j]) => i - j || (a < b ? -1 : a > b ? 1 : 0));
  return hashHex(JSON.stringify([modelType, entries]));
}
