import { describe, expect, test } from "vitest";
import type { TokenSequence } from "../../../../src/data/index.js";
import { checkRows, type TrainingData } from "../../../../src/trainers/index.js";

/** Row n has the single id n and is called after it. */
const rowOf = (n: number): TokenSequence => ({ ids: [n], completionStart: 1, id: `a.jsonl:${n}` });

function data(size?: number): TrainingData & { asked: number[][] } {
  const asked: number[][] = [];
  return {
    ...(size === undefined ? {} : { size }),
    asked,
    rows: (step, count) => {
      asked.push([step, count]);
      return Promise.resolve(
        Array.from({ length: count }, (_, i) => rowOf((step * count + i) % (size ?? Infinity))),
      );
    },
    promptOf: ({ ids }) => ids,
  };
}

const knowing = (known: (n: number) => boolean) => ({
  name: "rec",
  knows: ({ ids }: TokenSequence) => known(ids[0] as number),
  remedyForUnknownRows: "Record them.",
});

describe("rows that a teacher does not know", () => {
  test("are counted over all of finite data, once", async () => {
    const rows = data(2500);
    await checkRows(
      knowing(() => true),
      rows,
      { steps: 1000, batchSize: 8 },
    );
    expect(rows.asked).toEqual([
      [0, 1024],
      [1, 1024],
      [2, 1024],
    ]);
    await expect(
      checkRows(
        knowing((n) => n % 1000 !== 7),
        data(2500),
        { steps: 1000, batchSize: 8 },
      ),
    ).rejects.toThrow(
      'teacher: "rec" does not have a.jsonl:7. It lacks 3 of the 2500 rows that this run reads. Record them.',
    );
  });

  test("are looked for only among those that the run reads, as it reads them", async () => {
    const rows = data();
    await checkRows(
      knowing((n) => n < 12),
      rows,
      { steps: 3, batchSize: 4 },
    );
    expect(rows.asked).toEqual([
      [0, 4],
      [1, 4],
      [2, 4],
    ]);
    await expect(
      checkRows(
        knowing((n) => n < 12),
        data(),
        { steps: 4, batchSize: 4 },
      ),
    ).rejects.toThrow(/does not have a\.jsonl:12\. It lacks 4 of the 16 rows/);
  });

  test("are not looked for where the teacher scores any row", async () => {
    const rows = data();
    await checkRows({ name: "model" }, rows, { steps: 3, batchSize: 4 });
    expect(rows.asked).toEqual([]);
  });
});
