import { z } from "zod";
import { PupilError } from "../../../errors/index.js";
import { byteIds } from "./bpe.js";
import type { Model } from "./model.js";
import type { Place } from "./part.js";

export const unigramSchema = z.strictObject({
  unk_id: z.int().min(0).nullable().default(null),
  byte_fallback: z.boolean().nullable().default(false),
});

/** What an unknown character costs below the least likely token. Source: SentencePiece. */
const unknownPenalty = 10;

interface TrieNode {
  readonly children: Map<number, TrieNode>;
  id: number;
}

/**
 * The most likely tokens of a word under a unigram model: the path of highest total score, in float64
 * and left to right. Adjacent unknown characters are one token.
 * Source: tokenizers, models/unigram, encode_optimized.
 */
export function unigramModel(
  { unk_id, byte_fallback }: z.output<typeof unigramSchema>,
  vocab: readonly (readonly [string, number])[],
  place: Place,
): Model {
  const ids = new Map(vocab.map(([token], id) => [token, id]));
  const scores = vocab.map(([, score]) => asRead(score));
  const wrong = vocab.findIndex(([, score]) => typeof score !== "number");
  if (wrong >= 0 || (unk_id !== null && unk_id >= vocab.length)) {
    throw new PupilError("is not a token with its score.", {
      field:
        wrong >= 0 ? `${place.source}: model.vocab[${wrong}]` : `${place.source}: model.unk_id`,
      value: wrong >= 0 ? vocab[wrong] : unk_id,
      remedy: "The file seems damaged: fetch or export it again.",
    });
  }
  const root = buildTrie(ids);
  const unknownScore =
    scores.reduce((least, score) => Math.min(least, score), Infinity) - unknownPenalty;
  const idsOf = (piece: string): number[] => {
    const id = ids.get(piece);
    if (id !== undefined) return [id];
    const bytes = byte_fallback === true ? byteIds(piece, ids) : undefined;
    return bytes ?? (unk_id === null ? [] : [unk_id]);
  };
  return {
    unknownId: unk_id ?? undefined,
    encode: (word, onLost) => {
      const pieces = bestPieces(word, root, scores, unknownScore, unk_id ?? -1);
      if (unk_id === null && pieces.some((piece) => !ids.has(piece))) onLost();
      return pieces.flatMap(idsOf);
    },
  };
}

/**
 * A score as the original has it. Its JSON reader rounds twice, the digits and then their quotient by a
 * power of ten; which of two paths of equal score is taken (`a` + `aa`, `aa` + `a`) hangs on the last bit.
 * Source: serde_json, de.rs, f64_from_parts (without `float_roundtrip`).
 */
function asRead(score: number): number {
  const written = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(score));
  if (written === null) return score;
  const [, sign, whole, fraction = "", exponent = "0"] = written;
  const power = Number(exponent) - fraction.length;
  const digits = Number(`${whole}${fraction}`);
  const size = power < 0 ? digits / Number(`1e${-power}`) : digits * Number(`1e${power}`);
  return sign === "-" ? -size : size;
}

function bestPieces(
  word: string,
  root: TrieNode,
  scores: readonly number[],
  unknownScore: number,
  unknownId: number,
): string[] {
  const best = new Float64Array(word.length + 1);
  const starts = new Int32Array(word.length + 1).fill(-1);
  const chosen = new Int32Array(word.length + 1);
  const offer = (start: number, end: number, id: number, score: number) => {
    const total = score + (best[start] as number);
    if (starts[end] !== -1 && total <= (best[end] as number)) return;
    best[end] = total;
    starts[end] = start;
    chosen[end] = id;
  };
  for (let start = 0; start < word.length; ) {
    const step = (word.codePointAt(start) as number) > 0xffff ? 2 : 1;
    let hasSingle = false;
    let node: TrieNode | undefined = root;
    for (let end = start; end < word.length; ) {
      const point = word.codePointAt(end) as number;
      node = node.children.get(point);
      if (node === undefined) break;
      end += point > 0xffff ? 2 : 1;
      if (node.id < 0) continue;
      offer(start, end, node.id, scores[node.id] as number);
      if (end - start === step) hasSingle = true;
    }
    if (!hasSingle) offer(start, start + step, unknownId, unknownScore);
    start += step;
  }
  const pieces: string[] = [];
  for (let end = word.length; end > 0; ) {
    let start = starts[end] as number;
    if (chosen[end] === unknownId) {
      while (start > 0 && chosen[start] === unknownId) start = starts[start] as number;
    }
    pieces.push(word.slice(start, end));
    end = start;
  }
  return pieces.reverse();
}

function buildTrie(ids: ReadonlyMap<string, number>): TrieNode {
  const node = (): TrieNode => ({ children: new Map(), id: -1 });
  const root = node();
  for (const [token, id] of ids) {
    let at = root;
    for (const character of token) {
      const point = character.codePointAt(0) as number;
      const child = at.children.get(point) ?? node();
      at.children.set(point, child);
      at = child;
    }
    if (at !== root) at.id = id;
  }
  return root;
}
