/** Tokenizers: our forms, Hugging Face's, and the older files. */
import {
  byteTokenizer,
  characterTokenizer,
  olderForms,
  type Tokenizer,
  tokenizerFromJson,
  trainBpe,
} from "../../../src/data/index.js";
import { PupilError } from "../../../src/errors/index.js";
import { bytesOf, type FuzzTarget, textOf } from "../target.js";

const sample = "the cat, ünd 12 <end>\n";

/** JSON as a file reader gives it: what does not parse is said there. */
function parse(bytes: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(textOf(bytes));
  } catch (cause) {
    throw new PupilError("is not valid JSON.", { cause });
  }
}

/** What a tokenizer makes of a text; ids that are none are found by {@link checkIds}. */
function use(tokenizer: Tokenizer): unknown {
  const { vocabSize, padId, startIds, endIds } = tokenizer;
  let ids: number[] = [];
  try {
    ids = tokenizer.encode(sample);
  } catch (error) {
    // A text that it cannot write.
    if (!(error instanceof PupilError)) throw error;
  }
  return { vocabSize, padId, startIds, endIds, ids, text: tokenizer.decode(ids) };
}

function checkIds(value: unknown): string | undefined {
  const { vocabSize, padId, startIds, endIds, ids } = value as {
    vocabSize: number;
    padId: number;
    startIds: number[];
    endIds: number[];
    ids: number[];
  };
  const bad = [padId, ...startIds, ...endIds, ...ids].filter(
    (id) => !Number.isInteger(id) || id < 0 || id >= vocabSize,
  );
  if (!Number.isInteger(vocabSize) || vocabSize > 1e7) return `vocabSize ${vocabSize}`;
  return bad.length === 0 ? undefined : `ids that are none: ${String(bad)}`;
}

const { json: bpe, configJson } = trainBpe(["the cat and the hat, and then that"], {
  vocabSize: 270,
});
const wordPiece = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ncat\n##s\n,\n1\n##2\n";

export const tokenizerTargets: readonly FuzzTarget[] = [
  {
    name: "tokenizer-json",
    shapes: { "*": ["json"] },
    seeds: () => [
      { json: bytesOf(bpe), config: bytesOf(configJson) },
      { json: bytesOf(bpe), config: bytesOf({}) },
    ],
    read: async ({ json, config }) =>
      use(await tokenizerFromJson(parse(json), "tokenizer.json", { config: parse(config) })),
    check: checkIds,
  },
  {
    name: "tokenizer-json-own",
    shapes: { "*": ["json"] },
    seeds: () =>
      [characterTokenizer({ alphabet: "the ca,ünd12\n<>" }), byteTokenizer()].map((own) => ({
        json: bytesOf(own.toJson()),
        config: bytesOf(own.toConfigJson()),
      })),
    read: async ({ json, config }) =>
      use(await tokenizerFromJson(parse(json), "tokenizer.json", { config: parse(config) })),
    check: checkIds,
  },
  older("vocab-and-merges", 0, {
    vocab: bytesOf((bpe as { model: { vocab: object } }).model.vocab),
    merges: bytesOf("#version: 0.2\nt h\nth e\n"),
  }),
  older("vocab-txt", 2, { vocab: bytesOf(wordPiece) }),
];

function older(name: string, form: number, files: Record<string, Uint8Array>): FuzzTarget {
  return {
    name,
    shapes: { vocab: [form === 0 ? "json" : "lines"], merges: ["lines"], config: ["json"] },
    seeds: () => [{ ...files, config: bytesOf({ add_prefix_space: false }) }],
    read: async ({ config, ...rest }) => {
      const texts = Object.values(rest).map((bytes) => decode(bytes));
      const given = parse(config);
      if (typeof given !== "object" || given === null || Array.isArray(given)) return undefined;
      const made = olderForms[form]?.convert(texts, given as Record<string, unknown>, name);
      return use(await tokenizerFromJson(made?.json, name, { config: made?.config }));
    },
    check: (value) => (value === undefined ? undefined : checkIds(value)),
    allowsUndefined: true,
  };
}

function decode(bytes: Uint8Array): string {
  try {
    return textOf(bytes);
  } catch (cause) {
    throw new PupilError("is not UTF-8.", { cause });
  }
}
