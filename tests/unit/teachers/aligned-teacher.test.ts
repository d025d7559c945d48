import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import {
  byteTokenizer,
  characterTokenizer,
  encodePrompt,
  makeBatch,
  type Tokenizer,
  tokenizeExample,
  tokenizerFromJson,
  type TokenSequence,
} from "../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../src/models/index.js";
import { logProbsFromLogits } from "../../../src/ops/index.js";
import {
  type AlignedTeacher,
  alignedTeacher,
  type AlignedTeacherOptions,
  alignRow,
  modelTeacher,
  promptedTeacher,
} from "../../../src/teachers/index.js";
import { Random } from "../../../src/tensors/index.js";
import { sentencePieceTokenizer, trainedTokenizer } from "../../setup/data/tokenizers.js";

const story = "the cat sat on the mat, the bat sat on the hat. ".repeat(4);
const bpe = await trainedTokenizer([story], 275);
const larger = await trainedTokenizer([story], 290);
const sentencePiece = await sentencePieceTokenizer();
const byte = byteTokenizer();

function tinyModel(tokenizer: Tokenizer, maxPositions = 64) {
  const shape = { hiddenSize: 8, numLayers: 1, numHeads: 2, intermediateSize: 8 };
  const { vocabSize } = tokenizer;
  const config = { family: "llama", vocabSize, maxPositions, initializerRange: 0.5, ...shape };
  return initializeDecoder(modelConfigSchema.parse(config), new Random(4));
}

function tinyTeacher(
  teacherTokenizer: Tokenizer,
  studentTokenizer: Tokenizer,
  options: Partial<AlignedTeacherOptions> = {},
): AlignedTeacher {
  const model = tinyModel(teacherTokenizer);
  return alignedTeacher(modelTeacher(model, "tiny"), {
    teacherTokenizer,
    studentTokenizer,
    signal: "teacherTokenLogProbs",
    ...options,
  });
}

/** The teacher's signal about restricted rows, as nested arrays, and what is learned of it. */
async function signalsOf(teacher: AlignedTeacher, rows: readonly TokenSequence[]) {
  using batch = makeBatch(rows.map(teacher.restrict), 0);
  const scores = await teacher.score(batch, teacher.provides);
  const [values] = Object.values(tf.tidy(() => scores.tensors())) as [tf.Tensor];
  scores.dispose?.();
  const mask = (await batch.completionMask.array()) as number[][];
  const result = (await values.array()) as number[][] | number[][][];
  values.dispose();
  return { mask, values: result };
}

/** log softmax of the tiny teacher's logits about every next id: entry i is about ids[i + 1]. */
async function plainLogProbs(tokenizer: Tokenizer, ids: readonly number[]): Promise<number[][]> {
  using model = tinyModel(tokenizer);
  using batch = makeBatch([{ ids, completionStart: 1 }], 0);
  const logProbs = tf.tidy(() => logProbsFromLogits(model.forward(batch)));
  const [values] = (await logProbs.array()) as [number[][]];
  logProbs.dispose();
  return values;
}

const row = (tokenizer: Tokenizer, prompt: string, completion: string) =>
  tokenizeExample(tokenizer, { prompt, completion });
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe("alignedTeacher: log-probabilities", () => {
  test.each(["spread", "last"] as const)("are the chain rule's, placed %s", async (placement) => {
    using teacher = tinyTeacher(larger, byte, { placement });
    const sequence = row(byte, "the", " cat sat");
    const { values, mask } = await signalsOf(teacher, [sequence]);
    const { teacherIds, chunks } = alignRow(sequence, { student: byte, teacher: larger });
    const logProbs = await plainLogProbs(larger, teacherIds);
    const expected = sequence.ids.map(() => 0);
    for (const { studentStart, studentEnd, teacherStart, teacherEnd, comparable } of chunks) {
      if (!comparable) continue;
      let total = 0;
      for (let k = teacherStart; k < teacherEnd; k++) {
        total += logProbs[k - 1]?.[teacherIds[k] as number] as number;
      }
      const size = studentEnd - studentStart;
      for (let i = studentStart; i < studentEnd; i++) {
        if (placement === "spread") expected[i] = total / size;
        else expected[i] = i === studentEnd - 1 ? total : 0;
      }
    }
    for (const [t, value] of (values[0] as number[]).entries()) {
      expect(value).toBeCloseTo(expected[t + 1] as number, 5);
    }
    // Everything after the prompt, the end token too.
    expect(mask[0]).toEqual(sequence.ids.slice(1).map((_, t) => (t + 1 >= 3 ? 1 : 0)));
    const completion = (values[0] as number[]).filter((_, t) => mask[0]?.[t] === 1);
    const prompt = larger.encode("the").length;
    const total = sum(
      teacherIds.slice(prompt).map((id, i) => logProbs[prompt + i - 1]?.[id] as number),
    );
    expect(sum(completion)).toBeCloseTo(total, 4);
  });

  test("of one token that is two of the teacher's sum to 1 over all texts", async () => {
    const pairs = ["aa", "ab", "ba", "bb"];
    const tokens = ["a", "b", ...pairs];
    const model = {
      type: "BPE",
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: pairs.map((pair) => [...pair]),
    };
    const json = { added_tokens: [], decoder: { type: "Fuse" }, model };
    const student = await tokenizerFromJson(json, "pairs");
    const letters = characterTokenizer({ alphabet: "ab" }, { specialTokens: false });
    using teacher = tinyTeacher(letters, student);
    const rows = [2, 3, 4, 5].map((id) => ({ ids: [0, id], completionStart: 1 }));
    const { values } = await signalsOf(teacher, rows);
    const total = sum((values as number[][]).map(([value]) => Math.exp(value as number)));
    expect(total).toBeCloseTo(1, 5);
  });

  test("a tokenizer that is the same changes nothing, nor do other rows of the batch", async () => {
    using teacher = tinyTeacher(bpe, bpe);
    const rows = [
      row(bpe, "the", " cat"),
      row(bpe, "on", " the mat, the bat"),
      row(bpe, "", "sat"),
    ];
    const { values } = await signalsOf(teacher, rows);
    for (const [i, { ids }] of rows.entries()) {
      const logProbs = await plainLogProbs(bpe, ids);
      for (let t = 0; t + 1 < ids.length; t++) {
        const expected = logProbs[t]?.[ids[t + 1] as number] as number;
        expect((values[i] as number[])[t]).toBeCloseTo(expected, 5);
      }
    }
  });

  test.each([
    ["the row's own completion", undefined, " cat sat"],
    ["the data's completion", " mat", " mat"],
  ])("a prompt of its own goes by where the prompt ends, with %s", async (_, given, told) => {
    const prompted = promptedTeacher(
      modelTeacher(tinyModel(larger)),
      "on {completion}: {prompt}",
      larger,
    );
    using teacher = alignedTeacher(prompted, {
      teacherTokenizer: larger,
      studentTokenizer: byte,
      signal: "teacherTokenLogProbs",
    });
    const sequence = row(byte, "the", " cat sat");
    const reference = given === undefined ? {} : { reference: byte.encode(given) };
    const { values, mask } = await signalsOf(teacher, [{ ...sequence, ...reference }]);
    const prompt = ["on ", told, ": ", "the"].flatMap((text) => larger.encode(text));
    const completion = [...larger.encode(" cat sat"), larger.endIds[0] as number];
    const logProbs = await plainLogProbs(larger, [...prompt, ...completion]);
    const total = sum(completion.map((id, i) => logProbs[prompt.length + i - 1]?.[id] as number));
    const learned = (values[0] as number[]).filter((_, t) => mask[0]?.[t] === 1);
    expect(sum(learned)).toBeCloseTo(total, 4);
  });

  test("nothing is learned from bytes that are no text, from specials, across the prompt", async () => {
    using teacher = tinyTeacher(sentencePiece, byte);
    const pad = byte.padId;
    const learned = (ids: number[], completionStart: number) =>
      teacher.restrict({ ids, completionStart }).learned;
    const the = byte.encode(" the");
    expect(learned([0x61, 0xf0, 0x9f, ...the], 1)).toEqual([0, 0, 0, 1, 1, 1, 1]);
    expect(learned([0x61, pad, ...the], 1)).toEqual([0, 0, 1, 1, 1, 1]);
    expect(learned([0x61, 0x20, 0x74, pad, 0x68, 0x65, 0x0a], 1)).toEqual([0, 0, 0, 0, 0, 0, 1]);
    // " the" is one token there: half of it cannot be given.
    expect(learned([0x61, ...the, 0x0a], 3)).toEqual([0, 0, 0, 0, 0, 1]);
    expect(learned([0x61, byte.endIds[0] as number], 1)).toEqual([0, 1]);
    const keeps = teacher.restrict({
      ids: the,
      completionStart: 1,
      learned: [0, 0, 0, 0],
      id: "x",
    });
    expect(keeps).toMatchObject({ learned: [0, 0, 0, 0], id: "x" });
  });

  test("what a short teacher cannot read is not learned", async () => {
    const short = modelTeacher(tinyModel(bpe, 3), "short");
    const [teacherTokenizer, studentTokenizer] = [bpe, byte];
    const signal = "teacherTokenLogProbs";
    const limited = { ...short, maxPositions: 3 };
    using teacher = alignedTeacher(limited, { teacherTokenizer, studentTokenizer, signal });
    const sequence = row(byte, "zz", "zzzz");
    expect(teacher.restrict(sequence).learned).toEqual([0, 0, 1, 0, 0, 0, 0]);
    expect((await signalsOf(teacher, [sequence])).values[0]).toHaveLength(6);
  });

  test("rows that were not restricted are refused, and nothing stays behind", async () => {
    using teacher = tinyTeacher(bpe, byte);
    using batch = makeBatch([{ ids: [0x61, 0xff, 0x61], completionStart: 1 }], 0);
    await expect(teacher.score(batch, teacher.provides)).rejects.toThrow(
      'Teacher "tiny" has no teacherTokenLogProbs about id 1 of row 0',
    );
  });
});

describe("alignedTeacher: logits", () => {
  test("are the teacher's where a chunk begins, in the student's vocabulary", async () => {
    using teacher = tinyTeacher(larger, bpe, { signal: "teacherLogits" });
    expect(teacher.vocabSize).toBe(bpe.vocabSize);
    const sequence = row(bpe, "on", " the mat, the hat");
    const { values, mask } = await signalsOf(teacher, [sequence]);
    const { teacherIds, chunks } = alignRow(sequence, { student: bpe, teacher: larger });
    const logProbs = await plainLogProbs(larger, teacherIds);
    const starts = chunks.filter(({ studentStart: s }) => s >= sequence.completionStart);
    expect(sum(mask[0] as number[])).toBe(starts.length);
    expect(starts.length).toBeGreaterThan(3);
    const { studentIds, teacherIds: counterparts } = teacher.map;
    for (const { studentStart, teacherStart } of starts) {
      expect(mask[0]?.[studentStart - 1]).toBe(1);
      const given = (values[0] as number[][])[studentStart - 1] as number[];
      const own = logProbs[teacherStart - 1] as number[];
      expect(sum(given.map(Math.exp))).toBeCloseTo(1, 5);
      let matched = 0;
      for (const [i, id] of studentIds.entries()) {
        const expected = own[counterparts[i] as number] as number;
        expect(given[id]).toBeCloseTo(expected, 5);
        matched += Math.exp(expected);
      }
      // <pad> alone has no counterpart.
      expect(Math.exp(given[bpe.padId] as number)).toBeCloseTo(1 - matched, 5);
    }
  });

  test("the mass of tokens without counterpart is spread, extra rows of a head included", async () => {
    const letters = characterTokenizer({ alphabet: "abc" }, { specialTokens: false });
    const two = characterTokenizer({ alphabet: "axyz" }, { specialTokens: false });
    using teacher = tinyTeacher(letters, two, { signal: "teacherLogits", studentVocabSize: 6 });
    const { values } = await signalsOf(teacher, [{ ids: [0, 0], completionStart: 1 }]);
    const [own] = (await plainLogProbs(letters, [0, 0])) as [number[]];
    const rest = (Math.exp(own[1] as number) + Math.exp(own[2] as number)) / 5;
    const given = ((values[0] as number[][])[0] as number[]).map(Math.exp);
    expect(given).toHaveLength(6);
    expect(given[0]).toBeCloseTo(Math.exp(own[0] as number), 5);
    for (const value of given.slice(1)) expect(value).toBeCloseTo(rest, 5);
  });

  test("stay as they are for losses that allow another vocabulary", async () => {
    const options = { signal: "teacherLogits", vocabulary: "teacher" } as const;
    using teacher = tinyTeacher(larger, byte, options);
    expect(teacher.vocabSize).toBe(larger.vocabSize);
    const sequence = row(byte, "on", " the");
    const { values, mask } = await signalsOf(teacher, [sequence]);
    // " the" is one chunk: one distribution, and that of the end token.
    expect(mask[0]).toEqual([0, 1, 0, 0, 0, 1]);
    const ids = [...encodePrompt(larger, "on the"), larger.endIds[0] as number];
    const own = await plainLogProbs(larger, ids);
    const given = (values[0] as number[][])[1] as number[];
    const logSum = Math.log(sum(given.map(Math.exp)));
    for (const [id, value] of given.entries()) {
      expect(value - logSum).toBeCloseTo(own.at(-2)?.[id] as number, 4);
    }
  });

  test("a teacher without the signal, vocabularies without a common token", () => {
    using plain = modelTeacher(tinyModel(bpe), "plain");
    const tokenizers = { teacherTokenizer: bpe, studentTokenizer: byte };
    const text = { ...plain, provides: ["teacherTokenLogProbs"] as const };
    expect(() => alignedTeacher(text, { ...tokenizers, signal: "teacherLogits" })).toThrow(
      'The teacher "plain" has another tokenizer and no teacherLogits.',
    );
    const studentTokenizer = characterTokenizer({ alphabet: "é日" }, { specialTokens: false });
    expect(() =>
      alignedTeacher(plain, { teacherTokenizer: bpe, studentTokenizer, signal: "teacherLogits" }),
    ).toThrow('No token of the teacher "plain" is one of the student.');
  });
});
