import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { type Batch, makeBatch, makePackedBatch } from "../../../../src/data/index.js";

const sequences = [
  { ids: [1, 2, 3], completionStart: 1 },
  { ids: [4, 5, 6, 7, 8], completionStart: 3, id: "b" },
  { ids: [9, 10], completionStart: 1 },
  { ids: [11], completionStart: 1 },
];

describe("a packed batch", () => {
  test("holds several sequences in a row, each with its own positions and start", () => {
    using batch = makePackedBatch(sequences, 0, { length: 4 });
    expect(batch.inputIds.arraySync()).toEqual([
      [4, 5, 6, 7],
      [1, 2, 9, 0],
    ]);
    // No label is the first id of a neighbour.
    expect(batch.labels.arraySync()).toEqual([
      [5, 6, 7, 8],
      [2, 3, 10, 0],
    ]);
    expect(batch.positionIds?.arraySync()).toEqual([
      [0, 1, 2, 3],
      [0, 1, 0, 0],
    ]);
    expect(batch.firstKeys?.arraySync()).toEqual([
      [0, 0, 0, 0],
      [0, 0, 2, 3],
    ]);
    expect(batch.attentionMask.arraySync()).toEqual([
      [1, 1, 1, 1],
      [1, 1, 1, 0],
    ]);
    expect(batch.completionMask.arraySync()).toEqual([
      [0, 0, 1, 1],
      [1, 1, 1, 0],
    ]);
    expect([batch.positionIds?.dtype, batch.firstKeys?.dtype]).toEqual(["int32", "int32"]);
  });

  test("has rows up to twice as long as its longest sequence, unless told otherwise", () => {
    using batch = makePackedBatch(sequences, 0);
    expect(batch.inputIds.arraySync()).toEqual([[4, 5, 6, 7, 1, 2, 9]]);
  });

  test("says where its sequences are, in the order given, and what they count", () => {
    using batch = makePackedBatch(sequences, 0, { length: 4 });
    expect(batch.sequences.map(({ row, start }) => [row, start])).toEqual([
      [1, 0],
      [0, 0],
      [1, 2],
      [0, 4],
    ]);
    expect(batch.sequences[1]).toMatchObject({ id: "b", ids: [4, 5, 6, 7, 8] });
    expect(batch.tokensPerSequence).toEqual([2, 2, 1, 0]);
    expect(batch.tokensPerRow).toEqual([2, 3]);
    expect([batch.numTokens, batch.numPositions, batch.isPacked]).toEqual([5, 7, true]);
    using plain = makeBatch(sequences, 0);
    expect(plain.tokensPerSequence).toEqual(batch.tokensPerSequence);
    expect([plain.numTokens, plain.numPositions, plain.isPacked]).toEqual([5, 7, false]);
  });

  test("learns what each sequence says, by its mask too", () => {
    const learned = [{ ...sequences[0]!, learned: [1, 0, 1] }, sequences[2]!];
    using batch = makePackedBatch(learned, 0, { length: 4 });
    expect(batch.completionMask.arraySync()).toEqual([[0, 1, 1]]);
    expect(batch.tokensPerSequence).toEqual([1, 1]);
  });

  test("has rows of the length asked for, padded to a multiple", () => {
    using batch = makePackedBatch(sequences, 0, { length: 9, padToMultipleOf: 4 });
    expect(batch.inputIds.arraySync()).toEqual([[4, 5, 6, 7, 1, 2, 9, 0]]);
    expect(batch.firstKeys?.arraySync()).toEqual([[0, 0, 0, 0, 4, 4, 6, 7]]);
  });

  test("of single ids has one empty position", () => {
    using batch = makePackedBatch([sequences[3]!, sequences[3]!], 0);
    expect(batch.inputIds.shape).toEqual([1, 1]);
    expect([batch.numTokens, batch.numPositions]).toEqual([0, 0]);
  });

  test("owns exactly its six tensors, also inside a scope", () => {
    const before = tf.memory().numTensors;
    const made: Batch[] = [];
    tf.tidy(() => {
      made.push(makePackedBatch(sequences, 0));
    });
    expect(tf.memory().numTensors - before).toBe(6);
    made[0]?.dispose();
    expect(tf.memory().numTensors - before).toBe(0);
  });

  test("refuses what does not fit, and what is no batch", () => {
    expect(() => makePackedBatch(sequences, 0, { length: 3 })).toThrow("b: 5 tokens do not fit");
    expect(() => makePackedBatch([], 0)).toThrow("at least one");
    expect(() => makePackedBatch([{ ids: [], completionStart: 0 }], 0)).toThrow("no tokens");
  });
});
