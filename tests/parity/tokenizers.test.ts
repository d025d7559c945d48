import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Tokenizer, tokenOffsets, trainBpe } from "../../src/data/index.js";
import { loadTokenizer } from "../../src/node/index.js";
import { Random } from "../../src/tensors/index.js";
import { randomText } from "../setup/data/random-text.js";
import { missing, sharedData } from "../setup/data/shared-data.js";
import { temporaryFolder } from "../setup/temporary-folder.js";

const folder = (name: string) => sharedData(`tokenizers/${name}`);
const read = (name: string): unknown => JSON.parse(readFileSync(folder(name), "utf8"));

interface Case {
  readonly input: string;
  readonly encoded: { readonly input_ids: number[] };
  readonly decoded_without_special: string;
}
interface LongCase {
  readonly text: string;
  readonly token_ids: number[];
}

const casesOf = (model: string) =>
  (read("expected/tokenizer_tests.json") as Record<string, Case[]>)[model] as Case[];

/** The bytes at a token's offsets are the token's, for any text. */
function checkOffsets(tokenizer: Tokenizer, text: string): void {
  const bytes = new TextEncoder().encode(text);
  const ids = tokenizer.encode(text);
  const { starts, ends } = tokenOffsets(tokenizer, ids, text);
  const [at, own] = [
    ids.map((_, i) => [...bytes.subarray(starts[i], ends[i])].join(" ")),
    ids.map((id) => [...tokenizer.tokenBytes(id)].join(" ")),
  ];
  // Llama's space before the text has no place in it.
  if (tokenizer.startIds.length > 0) own[0] = (own[0] as string).replace(/^32 ?/, "");
  expect(at).toEqual(own);
}

describe.skipIf(missing("tokenizers/gpt2"))("GPT-2 (needs ../shared/data/tokenizers)", () => {
  test("published ids and texts, from tokenizer.json and from the older pair of files", async () => {
    const cases = casesOf("distilgpt2");
    expect(cases.length).toBe(18);
    const older = copyOf("gpt2", ["encoder.json", "vocab.bpe"]);
    const long = read("expected/gpt2_encoded_tokens.json") as LongCase;
    for (const tokenizer of [await loadTokenizer(folder("gpt2")), await loadTokenizer(older)]) {
      expect(tokenizer.vocabSize).toBe(50_257);
      expect(tokenizer.endIds).toEqual([50_256]);
      for (const { input, encoded } of cases) {
        expect(tokenizer.encode(input)).toEqual(encoded.input_ids);
        expect(tokenizer.decode(encoded.input_ids)).toBe(input);
      }
      expect(tokenizer.encode(long.text)).toEqual(long.token_ids);
      checkOffsets(tokenizer, long.text);
    }
  });
});

describe.skipIf(missing("tokenizers/bert_uncased"))(
  "BERT (needs ../shared/data/tokenizers)",
  async () => {
    const bert = missing("tokenizers/bert_uncased")
      ? undefined
      : await loadTokenizer(folder("bert_uncased"));

    test("published ids, from a folder with nothing but vocab.txt", () => {
      const tokenizer = bert as Tokenizer;
      expect(tokenizer).toMatchObject({ vocabSize: 30_522, startIds: [101], padId: 0 });
      const cases = casesOf("bert-base-uncased");
      expect(cases.length).toBe(18);
      const unknown = 100;
      for (const { input, encoded } of cases) {
        if (encoded.input_ids.includes(unknown)) {
          expect(() => tokenizer.encode(input)).toThrow("no token for");
        } else {
          expect([101, ...tokenizer.encode(input), 102]).toEqual(encoded.input_ids);
        }
      }
      const long = read("expected/bert_uncased_encoded.json") as LongCase;
      const framed = [...long.token_ids];
      if (framed[0] === 101) framed.shift();
      if (framed.at(-1) === 102) framed.pop();
      expect(tokenizer.encode(long.text)).toEqual(framed);
    });

    test("a thousand published questions", () => {
      const words = read("expected/basic_tokenized_questions.json") as string[][];
      const ids = read("expected/tokenized_questions.json") as number[][];
      expect(words.length).toBe(ids.length);
      const step = Math.floor(words.length / 1000);
      for (let i = 0; i < words.length; i += step) {
        expect((bert as Tokenizer).encode((words[i] as string[]).join(" "))).toEqual(ids[i]);
      }
    });
  },
);

describe.skipIf(missing("tokenizers/torchtune_tiny"))(
  "a small byte-level BPE (needs ../shared/data/tokenizers)",
  async () => {
    const tiny = missing("tokenizers/torchtune_tiny")
      ? undefined
      : await loadTokenizer(folder("torchtune_tiny/tiny_bpe_tokenizer.json"));

    test("ids of Python tokenizers 0.23", () => {
      const tokenizer = tiny as Tokenizer;
      const text = "I can see the sun. And to know that the sun is there - that is living.";
      const ids = [
        40, 200, 1094, 103, 1287, 13, 217, 112, 128, 1039, 184, 103, 1287, 156, 644, 464, 184, 156,
        155, 1007, 13,
      ];
      expect(tokenizer.encode(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text);
      const more = [35, 102, 990, 236, 51, 46, 47, 345, 95, 17, 15, 17, 19, 11, 95, 159, 64];
      expect(tokenizer.encode("Don't STOP at 2024,  na")).toEqual(more);
    });

    test("text whose bytes it lacks is an error, where others drop it", () => {
      expect(() => tiny?.encode("a naïve text")).toThrow('no token for "ï" (in "naïve")');
    });
  },
);

describe.skipIf(missing("tokenizers/phi3"))("Phi-3 (needs ../shared/data/tokenizers)", async () => {
  const phi3 = missing("tokenizers/phi3") ? undefined : await loadTokenizer(folder("phi3"));

  test("published Llama ids, and ids of Python tokenizers 0.23", () => {
    const tokenizer = phi3 as Tokenizer;
    const long = read("expected/llama_encoded.json") as LongCase;
    expect([...tokenizer.startIds, ...tokenizer.encode(long.text)]).toEqual(long.token_ids);
    expect(tokenizer.encode("I can see 2024  suns.\n\n   👍🏽 naïve")).toEqual([
      306, 508, 1074, 29871, 29906, 29900, 29906, 29946, 29871, 6575, 29879, 29889, 13, 13, 1678,
      243, 162, 148, 144, 243, 162, 146, 192, 1055, 30085, 345,
    ]);
    expect(tokenizer.encode(" x\t")).toEqual([29871, 921, 12]);
  });

  test("emoji, digits, blanks come back, with right offsets", () => {
    const random = new Random(5);
    const texts = [" x\t", "  two", "\n\n", "🏳️‍🌈1234   5", "日本語 ½"];
    for (const text of [...texts, ...texts.map(() => randomText(random, 25))]) {
      const tokenizer = phi3 as Tokenizer;
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      checkOffsets(tokenizer, text);
    }
  });
});

describe.skipIf(missing("tokenizers/cs336_bpe_train"))(
  "training BPE (needs ../shared/data/tokenizers)",
  () => {
    test("gives the reference merges and tokens exactly", () => {
      const text = readFileSync(folder("cs336_bpe_train/corpus.en"), "utf8");
      const reference = readFileSync(
        folder("cs336_bpe_train/train-bpe-reference-merges.txt"),
        "utf8",
      )
        .trimEnd()
        .split("\n");
      const { json } = trainBpe([text], {
        vocabSize: 258 + reference.length + 1,
        specialTokens: ["<|endoftext|>"],
      });
      const { merges, vocab } = json.model as {
        merges: string[][];
        vocab: Record<string, number>;
      };
      expect(merges.map((pair) => pair.join(" "))).toEqual(reference);
      const referenceVocab = read("cs336_bpe_train/train-bpe-reference-vocab.json") as object;
      const ours = Object.keys(vocab).filter((token) => !["<pad>", "<end>"].includes(token));
      expect(ours.sort()).toEqual(Object.keys(referenceVocab).sort());
    });
  },
);

/** A folder with nothing but the given files of another. */
function copyOf(name: string, files: readonly string[]): string {
  const target = temporaryFolder();
  for (const file of files) copyFileSync(folder(`${name}/${file}`), join(target, file));
  return target;
}
