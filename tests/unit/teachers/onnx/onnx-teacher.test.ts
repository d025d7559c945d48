import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { makeBatch } from "../../../../src/data/index.js";
import { ownDistribution } from "../../../../src/rollouts/index.js";
import { onnxTeacher } from "../../../../src/teachers/index.js";
import type { TokenRows } from "../../../../src/teachers/onnx/decoder-feeds.js";
import type { OnnxDecoder } from "../../../../src/teachers/onnx/index.js";
import { Random } from "../../../../src/tensors/index.js";

const V = 6;

/** After every id the next higher one is the likeliest; counts what it is fed. */
function countingDecoder() {
  const fed: TokenRows[] = [];
  const answer = (rows: TokenRows) => {
    fed.push(rows);
    const values = new Float32Array(rows.batch * rows.length * V);
    for (const [i, id] of [...(rows.ids as Int32Array)].entries())
      values[i * V + ((id + 1) % V)] = id + 1;
    return { values, length: rows.length };
  };
  const decoder: OnnxDecoder = {
    vocabSize: V,
    hasCache: true,
    logits: (rows) => Promise.resolve(answer(rows)),
    step: (rows) => Promise.resolve({ ...answer(rows), past: {} }),
    dispose: () => undefined,
  };
  return { decoder, fed };
}

const sequences = [
  { ids: [1, 2, 3, 4], completionStart: 1 },
  { ids: [4, 0], completionStart: 1 },
  { ids: [3, 3, 1], completionStart: 2 },
];

test("sequences are read one by one, and their logits stand at their places", async () => {
  const { decoder, fed } = countingDecoder();
  using teacher = onnxTeacher(decoder, "onnx");
  using batch = makeBatch(sequences, 0);
  const scores = await teacher.score(batch, ["teacherLogits"]);
  const logits = tf.tidy(() => scores.tensors().teacherLogits?.arraySync()) as number[][][];
  for (const { ids, row, start } of batch.sequences) {
    for (const [t, id] of ids.slice(0, -1).entries()) {
      const expected = Array.from({ length: V }, (_, v) => (v === (id + 1) % V ? id + 1 : 0));
      expect(logits[row]?.[start + t]).toEqual(expected);
    }
  }
  expect([...(fed[0]?.ids as Int32Array)]).toEqual([1, 2, 3, 4, 0, 0, 3, 3, 0]);
  expect([...(fed[0]?.mask as Int32Array)]).toEqual([1, 1, 1, 1, 0, 0, 1, 1, 0]);
  expect([...(fed[0]?.positions as Int32Array)]).toEqual([0, 1, 2, 0, 0, 0, 0, 1, 0]);
});

test("it writes from the logits of the last token, with what it can read", async () => {
  const { decoder } = countingDecoder();
  using teacher = onnxTeacher(decoder, "onnx", { maxPositions: 16 });
  expect(teacher.maxPositions).toBe(16);
  const how = {
    ...{ endIds: [5], padId: 0, maxNewTokens: 4, random: new Random(1) },
    policy: { ...ownDistribution, greedy: true },
  };
  const rollouts = await teacher.complete?.([[5, 2], [0]], how);
  expect(rollouts?.map(({ completionIds }) => completionIds)).toEqual([
    [3, 4, 5],
    [1, 2, 3, 4],
  ]);
  using silent = onnxTeacher({ ...decoder, hasCache: false }, "onnx");
  expect(silent.complete).toBeUndefined();
  expect(silent).not.toHaveProperty("maxPositions");
});
