import type { Tokenizer } from "../../data/index.js";
import { WrongAnswer } from "./check-answer.js";
import type { PositionScore } from "./protocol.js";

/**
 * A sequence to ask about: the start ids and two ids that are the same two as text, so that every
 * protocol can send them.
 */
export function probeIds(tokenizer: Tokenizer): number[] {
  let id = 0;
  while (id < tokenizer.vocabSize && !isTwice(tokenizer, id)) id++;
  const found = id < tokenizer.vocabSize ? id : 0;
  return [...tokenizer.startIds, found, found];
}

function isTwice(tokenizer: Tokenizer, id: number): boolean {
  const text = tokenizer.decode([id, id]);
  if (text === "" || text.includes("\ufffd")) return false;
  try {
    const ids = tokenizer.encode(text);
    return ids.length === 2 && ids[0] === id && ids[1] === id;
  } catch {
    return false;
  }
}

/**
 * Compares the server's texts of tokens with the tokenizer's. Spaces and tokens without a text of
 * their own are written in many ways, so only a majority of differences is an error.
 */
export function checkTexts(
  { tokenIds, texts = [] }: Pick<PositionScore, "tokenIds" | "texts">,
  tokenizer: Tokenizer,
): void {
  const pairs = tokenIds
    .map((id, i) => [plain(texts[i] ?? ""), plain(tokenizer.decode([id])), id] as const)
    .filter(([theirs, ours]) => theirs !== "" && ours !== "");
  const different = pairs.filter(([theirs, ours]) => theirs !== ours);
  const [first] = different;
  if (first === undefined || different.length * 2 <= pairs.length) return;
  const [theirs, ours, id] = first;
  throw new WrongAnswer(
    `token ${id}`,
    JSON.stringify(ours),
    JSON.stringify(theirs),
    "teacher.tokenizer is not the tokenizer of the server's model.",
  );
}

function plain(text: string): string {
  return text.includes("\ufffd") ? "" : text.replace(/[▁Ġ]/g, " ").trim();
}
