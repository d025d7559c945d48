import { PupilError } from "../../errors/index.js";
import { tokenizerJson } from "./special-tokens.js";
import { isObject, type JsonObject } from "./vocabulary.js";

/** The files that a tokenizer was published as before there was `tokenizer.json`. */
export interface OlderForm {
  /** In the order in which `convert` takes their texts. */
  readonly files: readonly string[];
  /** `tokenizer.json` and `tokenizer_config.json` of the same tokenizer. */
  readonly convert: (
    texts: readonly string[],
    config: JsonObject,
    source: string,
  ) => { json: JsonObject; config: JsonObject };
}

export const olderForms: readonly OlderForm[] = [
  { files: ["vocab.json", "merges.txt"], convert: gpt2Files },
  // The names that OpenAI gave the same two files.
  { files: ["encoder.json", "vocab.bpe"], convert: gpt2Files },
  { files: ["vocab.txt"], convert: bertFiles },
];

/** GPT-2: a JSON object of ids, and one merge per line after a version line. */
function gpt2Files(
  [vocabText, mergesText]: readonly string[],
  config: JsonObject,
  source: string,
): { json: JsonObject; config: JsonObject } {
  const vocab = parseVocabulary(vocabText as string, source);
  const lines = (mergesText as string).split(/\r?\n/);
  const merges = lines
    .map((line, i) => ({ pair: line.split(" "), number: i + 1 }))
    .filter(
      ({ pair, number }) => pair.join("") !== "" && !(number === 1 && pair[0] === "#version:"),
    );
  const broken = merges.find(({ pair }) => pair.length !== 2);
  if (broken !== undefined) {
    throw new PupilError("is not a merge.", {
      field: `${source}: line ${broken.number} of the merges`,
      value: broken.pair.join(" "),
      remedy: "Every line after the first has two tokens with one space between them.",
    });
  }
  const end = "<|endoftext|>";
  const byteLevel = {
    type: "ByteLevel",
    add_prefix_space: config.add_prefix_space === true,
    trim_offsets: true,
  };
  const json = tokenizerJson(specialIdsOf([end, ...namedTokens(config)], vocab), {
    pre_tokenizer: byteLevel,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      vocab,
      merges: merges.map(({ pair }) => pair),
    },
  });
  return { json, config: end in vocab ? { eos_token: end, bos_token: end, ...config } : config };
}

/** BERT: one WordPiece token per line, the line number being its id. */
function bertFiles(
  [text]: readonly string[],
  config: JsonObject,
  source: string,
): { json: JsonObject; config: JsonObject } {
  const tokens = (text as string).replace(/\r?\n$/, "").split(/\r?\n/);
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const idOf = (token: string): number => {
    const id = vocab[token];
    if (id !== undefined) return id;
    throw new PupilError(`has no token ${token}.`, {
      field: source,
      remedy: "Give the vocab.txt of a BERT model: one token per line.",
    });
  };
  const [cls, sep] = ["[CLS]", "[SEP]"];
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const sequence = { Sequence: { id: "A", type_id: 0 } };
  const template = (token: string) => ({ id: token, ids: [idOf(token)], tokens: [token] });
  idOf("[UNK]");
  const json = tokenizerJson(specialIdsOf(["[PAD]", "[UNK]", cls, sep, "[MASK]"], vocab), {
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: config.tokenize_chinese_chars !== false,
      strip_accents: config.strip_accents ?? null,
      lowercase: config.do_lower_case !== false,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [special(cls), sequence, special(sep)],
      pair: [special(cls), sequence, special(sep), { Sequence: { id: "B", type_id: 1 } }],
      special_tokens: { [cls]: template(cls), [sep]: template(sep) },
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  });
  return { json, config: "[PAD]" in vocab ? { pad_token: "[PAD]", ...config } : config };
}

function parseVocabulary(text: string, source: string): Record<string, number> {
  let vocab: unknown;
  try {
    vocab = JSON.parse(text);
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new PupilError(`The vocabulary is not valid JSON: ${reason}.`, { field: source, cause });
  }
  // `readVocabulary` checks the entries.
  if (isObject(vocab)) return vocab as Record<string, number>;
  throw new PupilError("The vocabulary is not an object of tokens and ids.", { field: source });
}

/** Tokens that a config names as the end, the start, padding and so on. */
function namedTokens(config: JsonObject): string[] {
  return Object.entries(config)
    .filter(([key]) => key.endsWith("_token"))
    .map(([, value]) => (isObject(value) ? value.content : value))
    .filter((token) => typeof token === "string");
}

/** Ids of those names that are in the vocabulary. */
function specialIdsOf(
  names: readonly string[],
  vocab: Record<string, number>,
): Record<string, number> {
  const present = names.filter((name) => name in vocab);
  return Object.fromEntries(present.map((name) => [name, vocab[name] as number]));
}
