/** A step is the same in whatever order its rows come, split up and packed in whatever way. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { TokenSequence } from "../../src/data/index.js";
import { crossEntropyLoss, lossTerm, reverseKlLoss } from "../../src/losses/index.js";
import { initializeDecoder, modelConfigSchema } from "../../src/models/index.js";
import { modelTeacher } from "../../src/teachers/index.js";
import { Random } from "../../src/tensors/index.js";
import { splitIntoBatches } from "../../src/trainers/step/micro-batches.js";
import { computeGradients, type MicroBatch } from "../../src/trainers/step/step.js";

const config = modelConfigSchema.parse({
  ...{ family: "llama", vocabSize: 9, hiddenSize: 8, intermediateSize: 8, numLayers: 1 },
  ...{ numHeads: 2, maxPositions: 32, initializerRange: 0.4 },
});
const loss = [lossTerm(crossEntropyLoss, {}, 0.4), lossTerm(reverseKlLoss, {}, 0.7)];

const row: fc.Arbitrary<TokenSequence> = fc
  .array(fc.tuple(fc.nat(8), fc.constantFrom(0, 1)), { minLength: 1, maxLength: 7 })
  .chain((tokens) => {
    const ids = tokens.map(([id]) => id);
    const learned = tokens.map(([, bit]) => bit);
    return fc.oneof(
      fc.integer({ min: 1, max: ids.length }).map((completionStart) => ({ ids, completionStart })),
      fc.constant({ ids, completionStart: 1, learned }),
    );
  });

/** Rows with another order of them, and a number of micro-batches that they suffice for. */
const split = fc.array(row, { minLength: 1, maxLength: 5 }).chain((rows) =>
  fc.record({
    rows: fc.constant(rows),
    reordered: fc.shuffledSubarray(rows, { minLength: rows.length }),
    parts: fc.integer({ min: 1, max: rows.length }),
    packing: fc.boolean(),
  }),
);

async function stepOf(rows: readonly TokenSequence[], parts: number, packing: boolean) {
  using student = initializeDecoder(config, new Random(1));
  using teacher = modelTeacher(initializeDecoder(config, new Random(2)));
  using batches = splitIntoBatches([], rows, parts, 0, { packing });
  const scored: MicroBatch[] = [];
  for (const part of batches.parts) {
    scored.push({ ...part, teacher: await teacher.score(part.batch, ["teacherLogits"]) });
  }
  using step = await computeGradients(student, loss, scored);
  const gradients: number[] = [];
  for (const gradient of step.gradients.values()) gradients.push(...(await gradient.data()));
  return { loss: step.loss, terms: Object.values(step.terms), gradients, tokens: batches.tokens };
}

test("its loss, its tokens and every gradient", async () => {
  await fc.assert(
    fc.asyncProperty(split, async ({ rows, reordered, parts, packing }) => {
      const plain = await stepOf(rows, 1, false);
      const other = await stepOf(reordered, parts, packing);
      expect(other.tokens).toBe(plain.tokens);
      expect(other.loss).toBeCloseTo(plain.loss, 5);
      for (const [i, term] of plain.terms.entries()) expect(other.terms[i]).toBeCloseTo(term, 5);
      const worst = plain.gradients.map((g, i) => Math.abs(g - (other.gradients[i] as number)));
      expect(Math.max(...worst)).toBeLessThan(1e-5);
      // A step with something to learn moves.
      expect(Math.max(...plain.gradients.map(Math.abs)) > 1e-4).toBe(plain.tokens > 0);
    }),
    { seed: 5, numRuns: 8 },
  );
});
