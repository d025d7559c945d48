import { describe, expect, test } from "vitest";
import type { TokenSequence } from "../../../src/data/index.js";
import { crossEntropyLoss, lossTerm } from "../../../src/losses/index.js";
import {
  decoderToTensors,
  initializeDecoder,
  modelConfigSchema,
} from "../../../src/models/index.js";
import { AdamW, defaultSchedule, learningRateAt } from "../../../src/optim/index.js";
import { Random } from "../../../src/tensors/index.js";
import { sft, type SftOptions, type StepMetrics } from "../../../src/trainers/index.js";

const config = modelConfigSchema.parse({
  ...{ family: "llama", vocabSize: 9, hiddenSize: 8, intermediateSize: 8, numLayers: 1 },
  ...{ numHeads: 2, maxPositions: 16, initializerRange: 0.4 },
});

/** Rows of unequal lengths, other ones at every step. */
function rowsOf(step: number, count: number): TokenSequence[] {
  const random = new Random(7).stream("rows", step);
  return Array.from({ length: count }, () => {
    const ids = Array.from({ length: 2 + random.integer(5) }, () => random.integer(9));
    return { ids, completionStart: 1 };
  });
}

async function train(options: Partial<SftOptions> = {}) {
  using student = initializeDecoder(config, new Random(1));
  using optimizer = new AdamW(student.parameters);
  const asked: [number, number][] = [];
  const metrics: StepMetrics[] = [];
  for await (const step of sft({
    ...{ student, optimizer, steps: 3, tokenizer: { padId: 0 } },
    loss: [lossTerm(crossEntropyLoss, {})],
    data: {
      rows: (step, count) => {
        asked.push([step, count]);
        return rowsOf(step, count);
      },
      promptOf: () => [],
    },
    ...options,
  })) {
    metrics.push(step);
  }
  return { metrics, asked, weights: await decoderToTensors(student) };
}

describe("sft", () => {
  test("asks for the rows of every step, sixteen unless it is told, at the schedule's rate", async () => {
    const { metrics, asked } = await train();
    expect(asked).toEqual([
      [0, 16],
      [1, 16],
      [2, 16],
    ]);
    expect(metrics.map(({ step }) => step)).toEqual([1, 2, 3]);
    const rates = [0, 1, 2].map((step) => learningRateAt(step, 3, defaultSchedule));
    expect(metrics.map(({ learningRate }) => learningRate)).toEqual(rates);
    for (const [step, row] of metrics.entries()) {
      const tokens = rowsOf(step, 16).reduce((sum, { ids }) => sum + ids.length - 1, 0);
      expect(row.tokens).toBe(tokens);
      expect(row.onPolicyShare).toBe(0);
      expect(row.elapsedMs).toBeGreaterThanOrEqual(0);
      expect(row).not.toHaveProperty("lossStates");
      expect(Object.keys(row.terms)).toEqual(["cross-entropy"]);
    }
    // As many positions as the longest row has, for every row: nothing is packed.
    const lengths = rowsOf(0, 16).map(({ ids }) => ids.length - 1);
    const taken = lengths.reduce((sum, length) => sum + length, 0);
    expect(metrics[0]?.paddingShare).toBeCloseTo(1 - taken / (16 * Math.max(...lengths)), 12);
  });

  test("starts where it is told, of as many steps", async () => {
    const { metrics, asked } = await train({ startStep: 2, batchSize: 2 });
    expect(asked).toEqual([[2, 2]]);
    expect(metrics.map(({ step }) => step)).toEqual([3]);
    expect(metrics[0]?.learningRate).toBe(learningRateAt(2, 3, defaultSchedule));
  });

  test("learns the same in micro-batches and packed", async () => {
    const plain = await train({ batchSize: 5 });
    const split = await train({ batchSize: 5, gradientAccumulationSteps: 2, packing: true });
    for (const [i, { loss }] of plain.metrics.entries()) {
      expect(split.metrics[i]?.loss).toBeCloseTo(loss, 4);
    }
    expect(split.metrics[0]?.paddingShare).toBeLessThan(plain.metrics[0]?.paddingShare as number);
    await expect(train({ batchSize: 1, gradientAccumulationSteps: 2 })).rejects.toThrow(
      /2 micro-batches need at least 2 rows/,
    );
  });

  test("clips where there is a limit, and reports the norm before", async () => {
    const options = { batchSize: 4, steps: 1 };
    const schedule = { ...defaultSchedule, learningRate: 1e-3 };
    const [free, clipped] = [
      await train({ ...options, schedule }),
      await train({ ...options, schedule, maxGradNorm: 1e-9 }),
    ];
    expect(clipped.metrics[0]?.gradNorm).toBe(free.metrics[0]?.gradNorm);
    // Far below Adam's epsilon a step is hardly one.
    const moved = (weights: typeof free.weights) => {
      using start = initializeDecoder(config, new Random(1));
      const name = "model.embed_tokens.weight";
      const before = start.parameters.get(name)?.dataSync() ?? [];
      const after = weights.get(name)?.data ?? [];
      return Math.max(...[...before].map((value, i) => Math.abs(value - (after[i] as number))));
    };
    expect(moved(free.weights)).toBeGreaterThan(5e-4);
    expect(moved(clipped.weights)).toBeLessThan(2e-4);
  });
});
