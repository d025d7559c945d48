/** Steps whose lengths are rounded up, as on WebGPU, are the steps that they are without that. */
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, test } from "vitest";
import { makePackedBatch } from "../../../../src/data/index.js";
import { crossEntropyLoss, lossTerm, reverseKlLoss } from "../../../../src/losses/index.js";
import { modelSource } from "../../../../src/rollouts/token-source.js";
import { initializeDecoder } from "../../../../src/models/index.js";
import { modelTeacher } from "../../../../src/teachers/index.js";
import { bucketedLength, bucketedRows, Random } from "../../../../src/tensors/index.js";
import { paddedRows } from "../../../../src/trainers/diagnostics/diagnosed-rows.js";
import { splitIntoBatches } from "../../../../src/trainers/step/micro-batches.js";
import { computeGradients } from "../../../../src/trainers/step/step.js";
import { expectNear } from "../../../setup/expect-near.js";
import { config, raggedRows, stepKinds, train } from "../../../setup/steps/step-kinds.js";
import { teacherStepKinds } from "../../../setup/steps/teacher-step-kinds.js";

const round = (roundsLengths: boolean) => Object.assign(tf.backend(), { roundsLengths });
afterEach(() => {
  Reflect.deleteProperty(tf.backend(), "roundsLengths");
});

const row = (length: number) => ({
  ids: Array.from({ length }, (_, i) => i % 7),
  completionStart: 1,
});

describe("lengths", () => {
  test("stay as they are on a backend that keeps nothing for a length", () => {
    expect([1, 9, 31, 1000].map((length) => bucketedLength(length))).toEqual([1, 9, 31, 1000]);
    using batches = splitIntoBatches([], [row(4), row(12)], 2, 0, { mostPositions: 64 });
    expect(batches.parts.map(({ batch }) => batch.sequenceLength)).toEqual([3, 11]);
    expect(paddedRows([2, 5], batches.parts[0]?.batch as never, 24)).toEqual([2, 5]);
  });

  test("are rounded up by at most 7 or an eighth, and not beyond the positions that there are", () => {
    round(true);
    expect([1, 8, 9, 63, 64, 65, 129, 1000].map((length) => bucketedLength(length))).toEqual([
      ...[8, 8, 16, 64, 64, 72, 144, 1024],
    ]);
    expect(bucketedLength(9, 12)).toBe(12);
    expect(bucketedLength(13, 12)).toBe(13);
    for (let length = 1; length < 5000; length++) {
      const more = bucketedLength(length) - length;
      expect(more).toBeGreaterThanOrEqual(0);
      expect(more).toBeLessThanOrEqual(Math.max(7, length / 8));
    }
  });

  test("are one for all batches of a step, and so are the positions that are looked at", () => {
    round(true);
    using batches = splitIntoBatches([], [row(4), row(12)], 2, 0, { mostPositions: 13 });
    const lengths = batches.parts.map(({ batch }) => batch.sequenceLength);
    expect(lengths).toEqual([13, 13]);
    // A loop of one's own that does not say how many positions there are is never given more.
    using unsaid = splitIntoBatches([], [row(4), row(12)], 2, 0);
    expect(unsaid.parts.map(({ batch: own }) => own.sequenceLength)).toEqual([3, 11]);
    const { batch } = batches.parts[0] as (typeof batches.parts)[number];
    expect(paddedRows([2, 5], batch, 24)).toEqual([2, 5, ...Array.from({ length: 11 }, () => -1)]);
    expect(paddedRows([2, 5], batch, 24, 4)).toEqual([2, 5, -1, -1]);
    expect(paddedRows([], batch, 24, 0)).toEqual([]);
  });

  test("of packed rows are few, and so are their numbers: 21 of 30 steps have a shape of two before, in place of 17", () => {
    round(true);
    const kept = (shapesOf: (step: number) => string) => {
      const times = new Map<string, number>();
      for (let step = 0; step < 30; step++) {
        times.set(shapesOf(step), (times.get(shapesOf(step)) ?? 0) + 1);
      }
      return [...times.values()].reduce((sum, count) => sum + Math.max(0, count - 2), 0);
    };
    const shapeOf = (step: number, isRounded: boolean) => {
      const options = { packing: true, mostPositions: 64 };
      using batches = splitIntoBatches([], raggedRows(step, 32), 1, 0, options);
      const { batch } = batches.parts[0] as (typeof batches.parts)[number];
      const { size, sequenceLength, sequences } = batch;
      const needed = 1 + Math.max(...sequences.map((sequence) => sequence.row));
      expect(size).toBe(bucketedRows(needed));
      return `${isRounded ? size : needed}, ${sequenceLength}`;
    };
    expect(kept((step) => shapeOf(step, false))).toBe(17);
    expect(kept((step) => shapeOf(step, true))).toBe(21);
    expect([1, 7, 8, 9, 16, 17, 33, 100].map(bucketedRows)).toEqual([
      ...[1, 7, 8, 10, 16, 20, 40, 112],
    ]);
  });

  test("of packed rows are the same with rows that hold nothing: every number is the one without them", async () => {
    const terms = [lossTerm(reverseKlLoss, {}), lossTerm(crossEntropyLoss, {}, 0.5)];
    const numbersOf = async (more: number) => {
      using student = initializeDecoder(config, new Random(1));
      using teacher = modelTeacher(initializeDecoder(config, new Random(2)));
      const roundRows = (needed: number) => needed + more;
      using batch = makePackedBatch(raggedRows(0, 32), 0, { roundRows });
      const scores = await teacher.score(batch, ["teacherLogits"]);
      const microBatch = { batch, onPolicyRows: 0, teacher: scores };
      using step = await computeGradients(student, terms, [microBatch]);
      const { loss, diagnostics, gradNorm, gradients } = step;
      const values = [...gradients].map(([name, gradient]) => [name, [...gradient.dataSync()]]);
      const { size, numTokens } = batch;
      return { size, numbers: { loss, diagnostics, gradNorm, numTokens, values } };
    };
    const plain = await numbersOf(0);
    const padded = await numbersOf(5);
    expect(padded.size).toBe(plain.size + 5);
    expectNear(padded.numbers, plain.numbers, "step", { relative: 1e-7, least: 1 });
  });

  test("of prompts leave a model's context to what is written", () => {
    round(true);
    using model = initializeDecoder(config, new Random(1));
    const { columnsFor } = modelSource(model);
    expect(columnsFor?.(3, 32 - 20 + 1)).toBe(8);
    expect(columnsFor?.(3, 5)).toBe(5);
  });
});

describe("a training with lengths rounded up is the one without", () => {
  test.each(Object.entries({ ...stepKinds, ...teacherStepKinds }))("%s", async (_, kind) => {
    const exact = await train(kind, 6);
    round(true);
    const rounded = await train(kind, 6);
    expectNear(rounded.log, exact.log, "log", { relative: 1e-5, least: 1 });
    for (const [name, values] of exact.weights) {
      const others = rounded.weights.get(name) as Float32Array;
      // AdamW divides by the size of a gradient: of one that is all rounding, nothing is left but its sign.
      for (const [i, value] of values.entries()) {
        expect(Math.abs((others[i] as number) - value), `${name}[${i}]`).toBeLessThan(1e-3);
      }
    }
    const lengths = (log: readonly object[]) =>
      log.map((entry) => (entry as { paddingShare?: number }).paddingShare);
    expect(lengths(rounded.log)).not.toEqual(lengths(exact.log));
  });
});
