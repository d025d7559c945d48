import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import {
  type Batch,
  makeBatch,
  makePackedBatch,
  withSequences,
} from "../../../../src/data/index.js";
import { PupilError } from "../../../../src/errors/index.js";

describe("makeBatch", () => {
  test("shifts by one, pads on the right and marks completion labels", () => {
    using batch = makeBatch(
      [
        { ids: [5, 6, 7, 8], completionStart: 2 },
        { ids: [9, 3], completionStart: 1 },
      ],
      0,
    );
    expect(batch.inputIds.arraySync()).toEqual([
      [5, 6, 7],
      [9, 0, 0],
    ]);
    expect(batch.labels.arraySync()).toEqual([
      [6, 7, 8],
      [3, 0, 0],
    ]);
    expect(batch.attentionMask.arraySync()).toEqual([
      [1, 1, 1],
      [1, 0, 0],
    ]);
    expect(batch.completionMask.arraySync()).toEqual([
      [0, 1, 1],
      [1, 0, 0],
    ]);
    expect([batch.size, batch.sequenceLength, batch.numTokens]).toEqual([2, 3, 3]);
    expect(batch.inputIds.dtype).toBe("int32");
    expect(batch.labels.dtype).toBe("int32");
    expect(batch.attentionMask.dtype).toBe("float32");
    expect(batch.completionMask.dtype).toBe("float32");
  });

  test("a row may say which of its ids are learned", () => {
    const row = { ids: [5, 6, 7, 8], completionStart: 2, learned: [1, 0, 0, 1], id: "chat:1" };
    using batch = makeBatch([row], 0);
    expect(batch.completionMask.arraySync()).toEqual([[0, 0, 1]]);
    expect(batch.tokensPerRow).toEqual([1]);
    expect(batch.sequences).toEqual([{ ...row, row: 0, start: 0 }]);
  });

  test("the end token is learned when the padding id equals it", () => {
    const rows = [
      { ids: [1, 4, 2], completionStart: 1 },
      { ids: [1, 4, 4, 4, 2], completionStart: 1 },
    ];
    using batch = makeBatch(rows, 2);
    expect(batch.numTokens).toBe(6);
    expect(batch.completionMask.arraySync()).toEqual([
      [1, 1, 0, 0],
      [1, 1, 1, 1],
    ]);
  });

  test("padToMultipleOf widens without changing masks", () => {
    using batch = makeBatch([{ ids: [1, 2, 3, 4], completionStart: 1 }], 0, { padToMultipleOf: 4 });
    expect(batch.sequenceLength).toBe(4);
    expect(batch.completionMask.arraySync()).toEqual([[1, 1, 1, 0]]);
    expect(batch.attentionMask.arraySync()).toEqual([[1, 1, 1, 0]]);
  });

  test("rows without a completion token give numTokens 0, not an error", () => {
    using batch = makeBatch(
      [
        { ids: [7, 8], completionStart: 2 },
        { ids: [7], completionStart: 1 },
      ],
      0,
    );
    expect(batch.numTokens).toBe(0);
    expect(batch.completionMask.arraySync()).toEqual([[0], [0]]);
    expect(batch.attentionMask.arraySync()).toEqual([[1], [0]]);
  });

  test("owns exactly its four tensors, also inside a scope", () => {
    const before = tf.memory().numTensors;
    let batch: Batch | undefined;
    tf.tidy(() => {
      batch = makeBatch([{ ids: [1, 2], completionStart: 1 }], 0);
    });
    expect(tf.memory().numTensors - before).toBe(4);
    batch?.dispose();
    batch?.dispose();
    expect(tf.memory().numTensors - before).toBe(0);
  });

  test("refuses what is not a batch of ids", () => {
    expect(() => makeBatch([], 0)).toThrow(PupilError);
    expect(() => makeBatch([{ ids: [], completionStart: 0 }], 0)).toThrow("row 0: has no tokens");
    expect(() => makeBatch([{ ids: [1, Number.NaN], completionStart: 0 }], 0)).toThrow(
      "row 0, position 1",
    );
    expect(() => makeBatch([{ ids: [1, 2], completionStart: 0 }], -1)).toThrow("padId");
    expect(() =>
      makeBatch([{ ids: [1, 2], completionStart: 0 }], 0, { padToMultipleOf: 0 }),
    ).toThrow("padToMultipleOf");
  });
});

test.each<[string, unknown[], RegExp]>([
  ["nothing", [], /^sequences: is missing\. Give it rows of token ids/],
  ["a text", ["abc", 0], /^sequences: is "abc" and no list/],
  ["one row", [{ ids: [1, 2], completionStart: 1 }, 0], /^sequences: is \{"ids".* and no list/],
  ["lists of ids", [[[1, 2]], 0], /^row 0: is \[1,2\], not an object/],
  ["a missing row", [[undefined], 0], /^row 0: is missing/],
  ["a row without ids", [[{ completionStart: 1 }], 0], /^row 0: ids: is missing/],
  ["ids in a text", [[{ ids: "1 2", completionStart: 1 }], 0], /^row 0: ids: is "1 2" and no list/],
  ["no start", [[{ ids: [1, 2] }], 0], /^row 0: completionStart: is missing\. Give a whole number/],
  ["a start in words", [[{ ids: [1], completionStart: "1" }], 0], /completionStart: is "1"\./],
  ["a mark", [[{ ids: [1, 2], learned: 1 }], 0], /^row 0: learned: is 1 and no list/],
  ["an id in words", [[{ ids: ["a"], completionStart: 0 }], 0], /position 0: is "a", not a token/],
  ["no padId", [[{ ids: [1], completionStart: 0 }]], /^padId: is undefined, not a token id\. Give/],
  ["options of another kind", [[{ ids: [1], completionStart: 0 }], 0, 8], /^options: is 8, not/],
])("plain JavaScript is told what a batch is made of: %s", (_what, given, message) => {
  for (const make of [makeBatch, makePackedBatch] as ((...words: unknown[]) => Batch)[]) {
    const made = () => make(...given);
    expect(made).toThrow(PupilError);
    expect(made).toThrow(message);
  }
});

test("a batch of which only some sequences are seen has the same rows, and says which", () => {
  using batch = makeBatch(
    [
      { ids: [5, 6, 7, 8], completionStart: 2 },
      { ids: [9, 3], completionStart: 1 },
    ],
    0,
  );
  const some = withSequences(batch, batch.sequences.slice(1));
  expect(some.sequences.map(({ ids, row }) => [ids, row])).toEqual([[[9, 3], 1]]);
  expect([some.size, some.inputIds]).toEqual([batch.size, batch.inputIds]);
  expect(Object.keys(some)).toEqual(["sequences"]);
});
