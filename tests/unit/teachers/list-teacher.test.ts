import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { characterTokenizer, type RankingList } from "../../../src/data/index.js";
import type { SequenceModel } from "../../../src/models/index.js";
import { modelListTeacher, recordedListTeacher } from "../../../src/teachers/index.js";

const tokenizer = characterTokenizer({ alphabet: "abcdef\n" });

/** Scores a row by the sum of its ids that are not padding, and by a second number that nobody wants. */
function summingModel() {
  const rows: number[][][] = [];
  const forward: SequenceModel["forward"] = ({ inputIds, attentionMask }) => {
    rows.push(inputIds.arraySync() as number[][]);
    return tf.tidy(() => {
      const real = attentionMask === undefined ? inputIds : inputIds.mul(attentionMask);
      const sums = real.sum(1, true);
      return tf.concat([sums, sums.mul(-1)], 1) as tf.Tensor2D;
    });
  };
  return { model: { forward } as SequenceModel, rows };
}

const list: RankingList = {
  ...{ queryId: "q", query: "ab" },
  candidates: ["c", "ddd", "ef", "fff", "a"].map((text, i) => ({
    docid: `d${i}`,
    text,
    grade: 0,
    ids: [],
  })),
};
const idsOf = (text: string) => [
  ...tokenizer.startIds,
  ...tokenizer.encode(text),
  ...tokenizer.endIds.slice(0, 1),
];
const sumOf = (text: string) => idsOf(text).reduce((sum, id) => sum + id, 0);

test("a model scores every candidate after the query, in parts", async () => {
  for (const batchSize of [1, 2, 5, 32]) {
    const { model, rows } = summingModel();
    const teacher = modelListTeacher(model, { tokenizer, batchSize });
    expect(teacher.name).toBe("model");
    const scores = await teacher.scores(list);
    expect(scores).toEqual(list.candidates.map(({ text }) => sumOf(`ab\n${text}`)));
    const sizes = rows.map((part) => part.length);
    expect(Math.max(...sizes)).toBe(Math.min(batchSize, 5));
    expect(sizes).toHaveLength(Math.ceil(5 / batchSize));
  }
});

test("32 at a time unless told otherwise, and of query and passage no more than asked for", async () => {
  const { model, rows } = summingModel();
  const candidates = Array.from({ length: 40 }, (_, i) => ({
    docid: `${i}`,
    text: "fed",
    grade: 0,
    ids: [],
  }));
  const lengths = { queryLength: 1, passageLength: 2 };
  const teacher = modelListTeacher(model, { name: "mine", tokenizer, ...lengths });
  expect(teacher.name).toBe("mine");
  const scores = await teacher.scores({ ...list, candidates });
  expect(rows.map((part) => part.length)).toEqual([32, 8]);
  expect(scores).toEqual(candidates.map(() => sumOf("a\nfe")));
});

test("scores of a file are looked up by query and passage, and missed by name", async () => {
  const scores = new Map([["q", new Map(list.candidates.map(({ docid }, i) => [docid, 2 * i]))]]);
  const teacher = recordedListTeacher("run.tsv", scores);
  expect(teacher.name).toBe("run.tsv");
  expect(await teacher.scores(list)).toEqual([0, 2, 4, 6, 8]);
  const more = {
    ...list,
    candidates: [...list.candidates, { docid: "d9", text: "", grade: 0, ids: [] }],
  };
  expect(() => teacher.scores(more)).toThrow(
    'run.tsv: has no score of passage "d9" for query "q".',
  );
  expect(() => teacher.scores({ ...list, queryId: "r" })).toThrow(/passage "d0" for query "r"/);
});
