import { readFileSync } from "node:fs";
import {
  byteTokenizer,
  characterTokenizer,
  olderForms,
  type Tokenizer,
  tokenizerFromJson,
  trainBpe,
} from "../../../src/data/index.js";
import { sharedData } from "./shared-data.js";

/** Trained on a text of the test, so that two sizes cut words differently. */
export function trainedTokenizer(texts: readonly string[], vocabSize: number): Promise<Tokenizer> {
  const { json, configJson } = trainBpe(texts, { vocabSize });
  return tokenizerFromJson(json, `bpe-${vocabSize}`, { config: configJson });
}

/** SentencePiece as Llama has it: "▁" for spaces, one before the text, bytes for the rest. */
export function sentencePieceTokenizer(): Promise<Tokenizer> {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
  );
  const letters = [..."▁abcdeothing.,é日"];
  const merges = ["t h", "th e", "▁ the", "▁ c", "▁c a", "i n", "in g", "▁ ▁"];
  const merged = merges.map((merge) => merge.replace(" ", ""));
  const tokens = ["<unk>", "<s>", "</s>", ...bytes, ...letters, ...merged];
  const json = {
    added_tokens: ["<unk>", "<s>", "</s>"].map((content, id) => ({
      id,
      content,
      special: true,
      normalized: false,
    })),
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Prepend", prepend: "▁" },
        { type: "Replace", pattern: { String: " " }, content: "▁" },
      ],
    },
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 1, stop: 0 },
      ],
    },
    model: {
      type: "BPE",
      unk_token: "<unk>",
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
  const config = { bos_token: "<s>", eos_token: "</s>", add_bos_token: true };
  return tokenizerFromJson(json, "sentencepiece", { config });
}

/** BERT's, lower-casing and without accents, made from a `vocab.txt`. */
export function wordPieceTokenizer(): Promise<Tokenizer> {
  const letters = [..."abcdefghijklmnopqrstuvwxyz0123456789.,!?()'"];
  const tokens = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    ...letters,
    ...letters.map((letter) => `##${letter}`),
    "the",
    "cat",
    "##ing",
  ];
  const form = olderForms.find(({ files }) => files[0] === "vocab.txt");
  const { json, config } = form?.convert([tokens.join("\n")], {}, "vocab.txt") ?? {};
  return tokenizerFromJson(json, "vocab.txt", { config });
}

/** Tokenizers without special tokens of their own, for texts of these characters. */
export function plainTokenizers(texts: readonly string[]): Record<string, Tokenizer> {
  return { byte: byteTokenizer(), character: characterTokenizer(texts.join("")) };
}

/** A tokenizer of the shared data; guard with `missing`. */
export function sharedTokenizer(folder: string): Promise<Tokenizer> {
  const read = (name: string): unknown =>
    JSON.parse(readFileSync(sharedData(`tokenizers/${folder}/${name}`), "utf8"));
  const config = read("tokenizer_config.json");
  return tokenizerFromJson(read("tokenizer.json"), folder, { config });
}
