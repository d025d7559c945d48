import { describe, expect, test } from "vitest";
import * as tf from "@tensorflow/tfjs-core";
import { makeBatch } from "../../../src/data/index.js";
import { placeScores } from "../../../src/teachers/index.js";

const rows = [
  { ids: [1, 2, 3], completionStart: 1 },
  { ids: [4, 5], completionStart: 1 },
];

describe("placeScores", () => {
  test("puts every sequence where the batch has it, with distinct ids in the padding", () => {
    using batch = makeBatch(rows, 0);
    const first = {
      tokenLogProbs: [-1, -2],
      tokenIds: [7, 8, 9, 6],
      topLogProbs: [-1, -2, -3, -4],
    };
    const second = { tokenLogProbs: [-3], tokenIds: [5, 3], topLogProbs: [-5, -6] };
    const placed = tf.tidy(() => {
      const tensors = placeScores(batch, [first, second], 2);
      return Object.entries(tensors).map(([name, tensor]) => [name, tensor.arraySync()]);
    });
    expect(Object.fromEntries(placed)).toEqual({
      teacherTokenLogProbs: [
        [-1, -2],
        [-3, -100],
      ],
      teacherTokenIds: [
        [
          [7, 8],
          [9, 6],
        ],
        [
          [5, 3],
          [0, 1],
        ],
      ],
      teacherTopLogProbs: [
        [
          [-1, -2],
          [-3, -4],
        ],
        [
          [-5, -6],
          [-100, -100],
        ],
      ],
    });
  });

  test("does not shift scores of the wrong number silently", () => {
    using batch = makeBatch(rows, 0);
    const score = { tokenLogProbs: [-1, -2] };
    expect(() => placeScores(batch, [score, score], 1)).toThrow(
      /Sequence 1 needs 1 tokenLogProbs, got 2/,
    );
    expect(() => placeScores(batch, [score], 1)).toThrow(/2 sequences need as many scores, got 1/);
  });
});
