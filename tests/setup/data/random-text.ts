import type { Random } from "../../../src/tensors/index.js";

/** Pieces on which tokenizers differ: emoji of several code points, marks, scripts, digits, blanks. */
const pieces = [
  ..."abcdeothe",
  "the",
  " the",
  " cat",
  "ing",
  "Don't",
  "'ll",
  " ",
  "  ",
  "     ",
  "\n",
  "\n\n",
  "\t",
  "\r\n",
  "7",
  "2024",
  "3.14159",
  ",",
  "...",
  "!?",
  "(x)",
  "é",
  "e\u0301",
  "a\u0308\u0323",
  "ß",
  "İ",
  "日本語",
  "中",
  "한국",
  "Привет",
  "مرحبا",
  "👍",
  "👍🏽",
  "👩‍👩‍👧",
  "🇩🇪",
  "½",
  "\u00a0",
];

/** A text of `count` such pieces. */
export function randomText(random: Random, count: number): string {
  return Array.from({ length: count }, () => random.pick(pieces)).join("");
}
