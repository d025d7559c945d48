import { describe, expect, test } from "vitest";
import {
  byteTokenizer,
  bytesOfTokens,
  characterTokenizer,
  type Tokenizer,
} from "../../../../src/data/index.js";
import {
  sentencePieceTokenizer,
  trainedTokenizer,
  wordPieceTokenizer,
} from "../../../setup/data/tokenizers.js";

const pieces = (tokenizer: Tokenizer, text: string) =>
  tokenizer.encode(text).map((id) => bytesAsText(tokenizer.tokenBytes(id)));
const bytesAsText = (bytes: Uint8Array) => [...bytes].map((b) => String.fromCharCode(b)).join("");

describe("tokenBytes", () => {
  test("byte-level BPE: spaces and bytes as they are", async () => {
    const tokenizer = await trainedTokenizer(["the the the"], 300);
    expect(pieces(tokenizer, " the é")).toEqual([" the", " ", "\xc3", "\xa9"]);
  });

  test("SentencePiece: a space for ▁, byte tokens are one byte", async () => {
    const tokenizer = await sentencePieceTokenizer();
    expect(pieces(tokenizer, "the cat\n")).toEqual([" the", " ca", "t", "\n"]);
  });

  test("WordPiece: a space before every word, none before a continuation", async () => {
    const tokenizer = await wordPieceTokenizer();
    expect(pieces(tokenizer, "Catting")).toEqual([" cat", "t", "ing"]);
  });

  test("characters and bytes", () => {
    expect(pieces(characterTokenizer("aé"), "éa")).toEqual(["\xc3\xa9", "a"]);
    expect(pieces(byteTokenizer(), "é")).toEqual(["\xc3", "\xa9"]);
  });

  test("special tokens and ids outside the vocabulary have none", async () => {
    const all = [
      await trainedTokenizer(["the the the"], 300),
      await sentencePieceTokenizer(),
      characterTokenizer("ab"),
      byteTokenizer(),
    ];
    for (const tokenizer of all) {
      const ids = [...tokenizer.endIds, ...tokenizer.startIds, tokenizer.vocabSize, -1];
      expect(bytesOfTokens(tokenizer, ids)).toHaveLength(0);
    }
  });
});
