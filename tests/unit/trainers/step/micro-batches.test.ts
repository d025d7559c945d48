import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { makeBatch, makePackedBatch } from "../../../../src/data/index.js";
import {
  crossEntropyLoss,
  lossTerm,
  policyGradientLoss,
  taidLoss,
} from "../../../../src/losses/index.js";
import {
  countedFactors,
  countedRows,
  countedWeights,
  factorsByPosition,
} from "../../../../src/trainers/step/counted-rows.js";
import { trackLossStates } from "../../../../src/trainers/step/loss-states.js";
import { evenParts, splitIntoBatches } from "../../../../src/trainers/step/micro-batches.js";

const row = (length: number, completionStart = 1) => ({
  ids: Array.from({ length }, (_, i) => i + 1),
  completionStart,
});

describe("a step's rows", () => {
  test("are split into runs of nearly equal size, the student's first", () => {
    using batches = splitIntoBatches([row(2), row(3), row(4)], [row(5), row(6)], 2, 0);
    expect(batches.parts.map(({ firstRow, onPolicyRows }) => [firstRow, onPolicyRows])).toEqual([
      [0, 2],
      [2, 1],
    ]);
    expect(batches.parts.map(({ batch }) => batch.size)).toEqual([2, 3]);
    expect(batches.parts.every(({ batch }) => !batch.isPacked)).toBe(true);
    expect(batches.tokens).toBe(1 + 2 + 3 + 4 + 5);
    // Two rows of two positions and three of five, of which fifteen are taken.
    expect(batches.paddingShare).toBeCloseTo(1 - 15 / (2 * 2 + 3 * 5), 12);
    const sizes = evenParts([1, 2, 3, 4, 5, 6, 7], 3, "rows").map(({ own }) => own.length);
    expect(sizes).toEqual([2, 2, 3]);
    expect(() => evenParts([1], 2, "rows")).toThrow("2 micro-batches need at least 2 rows, got 1");
    expect(evenParts([1, 2], 2, "rows")).toHaveLength(2);
  });
});

describe("the rows that a term counts", () => {
  const parts = () => {
    const batch = makeBatch([row(3), row(4), row(2)], 0);
    return [{ batch, onPolicyRows: 1 }];
  };

  test("are the data's for labels and the student's for what was sampled", () => {
    const microBatches = parts();
    const labels = countedRows(lossTerm(crossEntropyLoss, {}), microBatches);
    expect(labels.count).toBe(3 + 1);
    expect(labels.weights).toEqual([[0, 1, 1]]);
    const sampled = countedRows(lossTerm(policyGradientLoss, {}), microBatches);
    expect(sampled.count).toBe(2);
    expect(sampled.weights).toEqual([[1, 0, 0]]);
    microBatches[0]?.batch.dispose();
  });

  test("weigh every position of theirs, in packed rows too", () => {
    for (const make of [makeBatch, makePackedBatch]) {
      using batch = make([row(3), row(4, 3), row(2)], 0);
      const weights = () =>
        countedWeights(factorsByPosition(batch, [0.5, 2, 0]), batch, "token") as tf.Tensor2D;
      const mask = tf.tidy(() => weights().arraySync());
      const expected = [[0.5, 0.5], [0, 0, 2], [0]];
      for (const [i, { row: at, start, ids }] of batch.sequences.entries()) {
        expect(mask[at]?.slice(start, start + ids.length - 1)).toEqual(expected[i]);
      }
      const total = mask.flat().reduce((sum, value) => sum + value, 0);
      expect(total).toBe(3);
    }
  });

  test("have one value each only where a row is an example", () => {
    using plain = makeBatch([row(3), row(4)], 0);
    using packed = makePackedBatch([row(3), row(4)], 0);
    const counted = { weights: [[9], [0.5, 2]], count: 3 };
    const values = (batch: typeof plain, per: "token" | "row") =>
      tf.tidy(() => {
        const factors = countedFactors(counted, 1, batch, per);
        return countedWeights(factors, batch, per).arraySync();
      });
    expect(values(plain, "row")).toEqual([0.5, 2]);
    expect(values(plain, "token")).toEqual([
      [0.5, 0.5, 0],
      [2, 2, 2],
    ]);
    expect(() => values(packed, "row")).toThrow(/no example/);
  });
});

describe("states of losses", () => {
  test("go with the share of the training that is done, from 0 to 1", () => {
    const plain = trackLossStates([lossTerm(crossEntropyLoss, {})], 5);
    expect([0, 1, 4].map((step) => plain.contextOf(step).progress)).toEqual([0, 0.25, 1]);
    const single = trackLossStates([lossTerm(crossEntropyLoss, {})], 1);
    expect(single.contextOf(0).progress).toBe(0);
    expect(plain.metrics()).toEqual({});
  });

  test("move with every step, and go on where a checkpoint left them", () => {
    const terms = [lossTerm(taidLoss, {})];
    const whole = trackLossStates(terms, 4);
    const before = whole.contextOf(0).states;
    whole.advance(0, [2]);
    whole.advance(1, [1]);
    const { lossStates } = whole.metrics();
    expect(whole.contextOf(2).states).not.toEqual(before);
    const resumed = trackLossStates(terms, 4, lossStates);
    expect(resumed.contextOf(2)).toEqual(whole.contextOf(2));
    for (const tracker of [whole, resumed]) tracker.advance(2, [0.5]);
    expect(resumed.metrics()).toEqual(whole.metrics());
    expect(() => trackLossStates(terms, 4, { other: {} as never })).toThrow();
  });
});
