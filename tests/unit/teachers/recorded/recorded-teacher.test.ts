import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { makeBatch } from "../../../../src/data/index.js";
import {
  decodeRow,
  encodeRow,
  recordedTeacher,
  type LogProbsManifest,
  rowKey,
  logProbLayout,
} from "../../../../src/teachers/index.js";

/** 50 tokens with all mass but `tail`, the likelier the earlier. */
function listWithTail(tail: number): number[] {
  const weights = Array.from({ length: 50 }, (_, i) => Math.exp(-0.37 * i));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => Math.log(((1 - tail) * weight) / total));
}

const outside = (logProbs: readonly number[]) =>
  1 - logProbs.reduce((sum, logProb) => sum + Math.exp(logProb), 0);

test("has the context that its manifest states, or none", () => {
  const facts = { k: 2, dtype: "float16", vocabSize: 9, tokens: "likeliest", sampleTemperature: 1 };
  const teacherOf = (maxPositions: number | null) =>
    recordedTeacher({
      name: "rec",
      manifest: { ...facts, maxPositions } as unknown as LogProbsManifest,
      has: () => false,
      read: () => Promise.resolve([]),
    });
  expect(teacherOf(64).maxPositions).toBe(64);
  expect(teacherOf(null)).not.toHaveProperty("maxPositions");
});

test.each([1e-5, 1e-3, 0.1, 0.9])(
  "a tail of %d survives the rounding of the list",
  async (tail) => {
    const row = { ids: [7, 8], completionStart: 1 };
    const lists = { tokens: "likeliest", k: 50, sampleTemperature: 1 } as const;
    const facts = { ...lists, dtype: "float16", vocabSize: 300, maxPositions: null } as const;
    const layout = logProbLayout(facts);
    const logProbs = listWithTail(tail);
    const ids = Array.from(logProbs, (_, i) => i);
    const position = { tokenLogProb: -1, logTail: Math.log(tail), logNormalizer: 0, ids, logProbs };
    const stored = decodeRow(encodeRow({ ids: row.ids, positions: [position] }, layout), layout);
    using teacher = recordedTeacher({
      name: "rec",
      manifest: facts as unknown as LogProbsManifest,
      has: (key) => key === rowKey(row),
      read: () => Promise.resolve([stored]),
    });
    using batch = makeBatch([row], 0);
    const scores = await teacher.score(batch, ["teacherTopLogProbs"]);
    const read = tf.tidy(() => [...(scores.tensors().teacherTopLogProbs as tf.Tensor).dataSync()]);
    // As much as float32 knows of a small difference to 1, and float16 of the log tail.
    const allowed = 4e-3 * tail + 2e-6;
    expect(Math.abs(outside(read) - tail)).toBeLessThan(allowed);
    const plain = Array.from(stored.positions[0]?.logProbs ?? []);
    if (tail === 1e-5) expect(Math.abs(outside(plain) - tail)).toBeGreaterThan(allowed);
    for (const [i, value] of read.entries()) {
      expect(Math.abs(value - (logProbs[i] as number))).toBeLessThan(0.01);
    }
  },
);
