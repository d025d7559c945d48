import { z } from "zod";
import { PupilError } from "../../../errors/index.js";
import type { JsonObject, Vocabulary } from "../vocabulary.js";
import { bpeModel, bpeSchema } from "./bpe.js";
import type { Model } from "./model.js";
import { buildPart, type PartKinds, type Place, partKind } from "./part.js";
import { unigramModel, unigramSchema } from "./unigram.js";

type Ids = ReadonlyMap<string, number>;

/** The model of a `tokenizer.json`; `vocab` and `merges` have been read as such. */
export function readModel(json: JsonObject, vocabulary: Vocabulary, place: Place): Model {
  const { vocab, merges, ...options } = json;
  const ids = vocabulary.modelIds;
  const kinds: PartKinds<Model> = {
    BPE: partKind(bpeSchema, (bpe) => bpeModel(bpe, ids, merges, place)),
    WordPiece: partKind(wordPieceSchema, (wordPiece) => wordPieceModel(wordPiece, ids, place)),
    WordLevel: partKind(z.strictObject({ unk_token: z.string() }), ({ unk_token }) =>
      wordLevelModel(ids, unk_token),
    ),
    Unigram: partKind(unigramSchema, (unigram) =>
      unigramModel(unigram, vocab as [string, number][], place),
    ),
  };
  return buildPart(kinds, { ...options, type: json.type ?? oldType(json) }, place);
}

/** Files before version 0.10 do not name the model. */
function oldType({ merges, vocab, continuing_subword_prefix }: JsonObject): string {
  if (merges !== undefined) return "BPE";
  if (Array.isArray(vocab)) return "Unigram";
  return continuing_subword_prefix === undefined ? "WordLevel" : "WordPiece";
}

function wordLevelModel(ids: Ids, unknown: string): Model {
  const unknownId = ids.get(unknown);
  return {
    unknownId,
    encode: (word, onLost) => {
      const id = ids.get(word) ?? unknownId;
      if (id === undefined) onLost();
      return id === undefined ? [] : [id];
    },
  };
}

const wordPieceSchema = z.strictObject({
  unk_token: z.string(),
  continuing_subword_prefix: z.string(),
  max_input_chars_per_word: z.int().min(0),
});

/** The longest token first, from the left; a word with a part that is none is unknown as a whole. */
function wordPieceModel(options: z.output<typeof wordPieceSchema>, ids: Ids, place: Place): Model {
  const { unk_token, continuing_subword_prefix: prefix, max_input_chars_per_word: most } = options;
  const unknownId = ids.get(unk_token);
  if (unknownId === undefined) {
    throw new PupilError("is not in the vocabulary.", {
      field: `${place.source}: model.unk_token`,
      value: unk_token,
      remedy: "WordPiece cannot do without its unknown token: take a complete file.",
    });
  }
  return {
    unknownId,
    encode: (word) => {
      const characters = Array.from(word);
      if (characters.length > most) return [unknownId];
      const found: number[] = [];
      for (let start = 0; start < characters.length; ) {
        let end = characters.length;
        let id: number | undefined;
        for (; end > start && id === undefined; end--) {
          id = ids.get((start > 0 ? prefix : "") + characters.slice(start, end).join(""));
        }
        if (id === undefined) return [unknownId];
        found.push(id);
        start = end + 1;
      }
      return found;
    },
  };
}
