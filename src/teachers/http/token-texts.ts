import type { Tokenizer } from "../../data/index.js";

/** Which token ids a server may mean by a text. */
export interface TokenTexts {
  canBe(text: string, id: number): boolean;
  idsOf(text: string): readonly number[];
}

/** As SentencePiece names a byte. */
const bytePiece = /^<0x[0-9A-Fa-f]{2}>$/;

const cache = new WeakMap<Tokenizer, TokenTexts>();

/**
 * The spellings of every token: as in the vocabulary (`Ġthe`, `▁the`, `<0x0A>`), as text (` the`,
 * a line break), and `token_id:262`, which vLLM writes where asked to. A byte that is also the text
 * of a token of its own is taken for that: tokenizers fall back on bytes only where there is none.
 */
export function tokenTexts(tokenizer: Tokenizer): TokenTexts {
  const known = cache.get(tokenizer);
  if (known !== undefined) return known;
  const ids = new Map<string, number[]>();
  const add = (text: string, id: number) => {
    // A replacement character stands for a part of one: it is the text of many tokens.
    if (text === "" || text.includes("\ufffd")) return;
    const same = ids.get(text);
    if (same === undefined) ids.set(text, [id]);
    else if (!same.includes(id)) same.push(id);
  };
  const pieces = piecesOf(tokenizer);
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const piece = pieces.get(id);
    add(`token_id:${id}`, id);
    if (piece !== undefined) add(piece, id);
    // SentencePiece drops the space of a token that stands alone.
    if (piece?.includes("▁")) add(piece.replaceAll("▁", " "), id);
    else if (piece === undefined || !bytePiece.test(piece)) add(tokenizer.decode([id]), id);
  }
  for (const [id, piece] of pieces) {
    const text = bytePiece.test(piece) ? tokenizer.decode([id]) : "";
    if (!ids.has(text)) add(text, id);
  }
  const idsOf = (text: string) => ids.get(text) ?? [];
  const texts = { idsOf, canBe: (text: string, id: number) => idsOf(text).includes(id) };
  cache.set(tokenizer, texts);
  return texts;
}

interface TokenizerJson {
  readonly model?: { readonly vocab?: Record<string, number> | readonly [string, number][] };
  readonly added_tokens?: readonly { readonly id: number; readonly content: string }[];
}

function piecesOf(tokenizer: Tokenizer): Map<number, string> {
  const { model, added_tokens: added = [] } = tokenizer.toJson() as TokenizerJson;
  const vocab = model?.vocab ?? {};
  const entries = Array.isArray(vocab)
    ? vocab.map(([piece], id) => [id, piece as string] as const)
    : Object.entries(vocab).map(([piece, id]) => [id as number, piece] as const);
  return new Map([...entries, ...added.map(({ id, content }) => [id, content] as const)]);
}
