/** Steps whose lengths are rounded up, as on WebGPU, are the steps that they are without that. */
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, test } from "vitest";
import { modelSource } from "../../../../src/rollouts/token-source.js";
import { initializeDecoder } from "../../../../src/models/index.js";
import { bucketedLength, Random } from "../../../../src/tensors/index.js";
import { paddedRows } from "../../../../src/trainers/diagnostics/diagnosed-rows.js";
import { splitIntoBatches } from "../../../../src/trainers/step/micro-batches.js";
import { expectNear } from "../../../setup/expect-near.js";
import { config, stepKinds, train } from "../../../setup/step-kinds.js";

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

  test("of prompts leave a model's context to what is written", () => {
    round(true);
    using model = initializeDecoder(config, new Random(1));
    const { columnsFor } = modelSource(model);
    expect(columnsFor?.(3, 32 - 20 + 1)).toBe(8);
    expect(columnsFor?.(3, 5)).toBe(5);
  });
});

describe("a training with lengths rounded up is the one without", () => {
  test.each(Object.entries(stepKinds))("%s", async (_, kind) => {
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
