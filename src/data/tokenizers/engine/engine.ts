import type { JsonObject, Vocabulary } from "../vocabulary.js";
import { type AddedToken, readAddedTokens, tokenFinder } from "./added-tokens.js";
import { readDecoder } from "./decoders.js";
import type { Model } from "./model.js";
import { readNormalizer } from "./normalizers.js";
import { type Place, unfaithful } from "./part.js";
import { readPostProcessor } from "./post-processors.js";
import { readPreTokenizer } from "./pre-tokenizers.js";
import { readModel } from "./read-model.js";

/** A `tokenizer.json` at work, with the ids and texts of Hugging Face's tokenizers. */
export interface TokenizerEngine {
  /**
   * Ids of a text, without special tokens around it. `truncation` and `padding` of the file are left
   * aside, as transformers does.
   *
   * @param onLost called with each piece of text of which a part has no id at all
   */
  encode(text: string, onLost?: (piece: string) => void): number[];
  /** Ids with what the post-processor puts around them. */
  frame(ids: readonly number[]): readonly number[];
  decode(ids: readonly number[], skipSpecialTokens: boolean): string;
  /** The id that stands for what the vocabulary lacks. */
  readonly unknownId: number | undefined;
}

/** Words whose ids are kept: those of a language, not those of a corpus. */
const cachedWords = 100_000;
const longestCached = 256;

/** @throws PupilError naming the part that is not known to be run as the original runs it */
export function tokenizerEngine(
  json: JsonObject,
  vocabulary: Vocabulary,
  source: string,
): TokenizerEngine {
  const at = (path: string): Place => ({ source, path });
  const normalize = readNormalizer(json.normalizer, at("normalizer"));
  const preTokenizer = readPreTokenizer(json.pre_tokenizer, at("pre_tokenizer"));
  const model = readModel(json.model as JsonObject, vocabulary, at("model"));
  const frame = readPostProcessor(json.post_processor, at("post_processor"));
  const join = readDecoder(json.decoder, at("decoder"));
  const added = readAddedTokens(json.added_tokens, vocabulary, source);

  const written = (token: AddedToken) =>
    token.normalized ? normalize(token.content, { isKept: true }) : token.content;
  const findGiven = tokenFinder(added.filter((token) => !token.normalized));
  const ofNormalized = added.filter((token) => token.normalized);
  const patterns = ofNormalized.map(written);
  const erased = ofNormalized[patterns.indexOf("")];
  if (erased !== undefined) {
    // The original then finds it between any two characters.
    const known = "The normalizer leaves nothing of this token. ";
    throw unfaithful(at("added_tokens"), erased.content, known);
  }
  const findNormalized = tokenFinder(ofNormalized, patterns);

  const tokens = new Map(vocabulary.modelTokens);
  for (const token of added) tokens.set(token.id, written(token));
  const specials = new Set(added.filter(({ special }) => special).map(({ content }) => content));
  const encodePiece = pieceEncoder(model, preTokenizer.map);

  return {
    unknownId: model.unknownId,
    frame,
    encode: (text, onLost = ignore) => {
      const ids: number[] = [];
      let isFirst = true;
      for (const given of findGiven(text)) {
        if (given.id !== undefined) ids.push(given.id);
        else {
          const start = { isKept: true };
          const normalized = normalize(given.text, start);
          for (const [i, part] of findNormalized(normalized).entries()) {
            if (part.id !== undefined) ids.push(part.id);
            else if (part.text !== "") {
              for (const piece of preTokenizer.split(part.text, start, isFirst && i === 0)) {
                for (const id of encodePiece(piece, onLost)) ids.push(id);
              }
            }
          }
        }
        isFirst = false;
      }
      return ids;
    },
    decode: (ids, skipSpecialTokens) => {
      const known = ids.map((id) => tokens.get(id)).filter((token) => token !== undefined);
      return join(skipSpecialTokens ? known.filter((token) => !specials.has(token)) : known);
    },
  };
}

const ignore = () => undefined;

/** The ids of a piece, kept for the next time; pieces that cannot be merged across are taken apart. */
function pieceEncoder(
  model: Model,
  map: ((piece: string) => string) | undefined,
): (piece: string, onLost: (piece: string) => void) => readonly number[] {
  const cache = new Map<string, readonly number[]>();
  const encodeWord = (word: string, onLost: (piece: string) => void): readonly number[] => {
    const kept = cache.get(word);
    if (kept !== undefined) return kept;
    let isWhole = true;
    const ids = model.encode(map === undefined ? word : map(word), () => {
      isWhole = false;
      onLost(word);
    });
    if (isWhole && word.length <= longestCached) {
      if (cache.size >= cachedWords) cache.clear();
      cache.set(word, ids);
    }
    return ids;
  };
  const { cutAt } = model;
  if (cutAt === undefined || map !== undefined) return encodeWord;
  const words = new RegExp(`${cutAt}+[^${cutAt}]*|[^${cutAt}]+`, "gu");
  return (piece, onLost) => (piece.match(words) ?? []).flatMap((word) => encodeWord(word, onLost));
}
