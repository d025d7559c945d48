/** Packed or padded, every sequence stands in a batch with the same inputs, labels and masks. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Batch,
  isLearned,
  makeBatch,
  makePackedBatch,
  type TokenSequence,
} from "../../../../src/data/index.js";

const sequence: fc.Arbitrary<TokenSequence> = fc
  .array(fc.nat(50), { minLength: 1, maxLength: 9 })
  .chain((ids) =>
    fc.record(
      {
        ids: fc.constant(ids),
        completionStart: fc.nat(ids.length),
        learned: fc.array(fc.constantFrom(0, 1), { minLength: ids.length, maxLength: ids.length }),
      },
      { requiredKeys: ["ids", "completionStart"] },
    ),
  );
const rows = fc.array(sequence, { minLength: 1, maxLength: 8 });

/** What a batch holds of its sequences, and that it holds nothing else. */
function contents(batch: Batch, padId: number) {
  const names = ["inputIds", "labels", "attentionMask", "completionMask"] as const;
  const [inputs, labels, attention, completion] = names.map((name) => batch[name].arraySync());
  const positions = batch.positionIds?.arraySync();
  const firstKeys = batch.firstKeys?.arraySync();
  const free = inputs?.map((row) => row.map((_, i) => i)) ?? [];
  const found = batch.sequences.map(({ ids, row, start }) => {
    const part = <T>(values: T[][] | undefined) =>
      values?.[row]?.slice(start, start + ids.length - 1);
    for (const t of part(free) ?? []) (free[row] as number[])[t] = -1;
    if (firstKeys) expect(part(firstKeys)?.every((first) => first === start)).toBe(true);
    const counted = part(positions)?.map((position) => position);
    if (positions) expect(counted).toEqual(counted?.map((_, t) => t));
    return [inputs, labels, attention, completion].map(part);
  });
  for (const [row, places] of free.entries()) {
    for (const t of places.filter((place) => place >= 0)) {
      expect([inputs?.[row]?.[t], labels?.[row]?.[t]]).toEqual([padId, padId]);
      expect([attention?.[row]?.[t], completion?.[row]?.[t]]).toEqual([0, 0]);
    }
  }
  return found;
}

test("and nothing but padding stands beside them", () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 4 }), (sequences, padToMultipleOf) => {
      using padded = makeBatch(sequences, 3, { padToMultipleOf });
      using packed = makePackedBatch(sequences, 3, { padToMultipleOf });
      const expected = sequences.map((own) => {
        const learned = own.ids.slice(1).map((_, t) => Number(isLearned(own, t + 1)));
        return [own.ids.slice(0, -1), own.ids.slice(1), learned.map(() => 1), learned];
      });
      expect(contents(padded, 3)).toEqual(expected);
      expect(contents(packed, 3)).toEqual(expected);
      const tokens = expected.map(([, , , learned]) => learned?.reduce((a, b) => a + b, 0));
      for (const batch of [padded, packed]) {
        expect(batch.tokensPerSequence).toEqual(tokens);
        expect(batch.sequenceLength % padToMultipleOf).toBe(0);
        const perRow = batch.completionMask.sum(1);
        expect(batch.tokensPerRow).toEqual(perRow.arraySync());
        perRow.dispose();
      }
      expect(packed.size).toBeLessThanOrEqual(padded.size);
    }),
    { seed: 6, numRuns: 60 },
  );
});
