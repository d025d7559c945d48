import { describe, expect, test } from "vitest";
import { packText } from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";

const ids = Array.from({ length: 23 }, (_, i) => i);

describe("packText", () => {
  test("random windows depend on seed and step only", () => {
    const packed = packText(ids, 4);
    const random = new Random(7);
    const first = packed.randomWindows(random, 3, 8);
    packed.randomWindows(random, 4, 5);
    random.uniform();
    expect(packed.randomWindows(random, 3, 8)).toEqual(first);
    expect(packed.randomWindows(new Random(7), 3, 2)).toEqual(first.slice(0, 2));
    expect(packed.randomWindows(random, 4, 8)).not.toEqual(first);
    expect(packed.randomWindows(new Random(8), 3, 8)).not.toEqual(first);
  });

  test("random windows are consecutive ids and reach both ends", () => {
    const packed = packText(ids, 4);
    const starts = new Set<number>();
    for (const row of packed.randomWindows(new Random(1), 0, 600)) {
      const start = row.ids[0] as number;
      expect(row).toEqual({ ids: ids.slice(start, start + 5), completionStart: 1 });
      starts.add(start);
    }
    expect([...starts].sort((a, b) => a - b)).toEqual(ids.slice(0, 19));
  });

  test("sequential windows predict every token but the first exactly once", () => {
    for (const length of [5, 9, 21, 22, 23]) {
      const rows = packText(ids.slice(0, length), 4).sequentialWindows();
      const predicted = rows.flatMap((row) => row.ids.slice(row.completionStart));
      expect(predicted).toEqual(ids.slice(1, length));
      for (const row of rows.slice(0, -1)) expect(row.ids).toHaveLength(5);
    }
  });

  test("a limited number of sequential windows spreads over the text", () => {
    const starts = (count: number) =>
      packText(ids, 2)
        .sequentialWindows(count)
        .map((row) => row.ids[0]);
    expect(starts(3)).toEqual([0, 6, 14]);
    expect(starts(99)).toHaveLength(11);
    expect(starts(0)).toEqual([]);
  });

  test("a text shorter than one row is an error; one of exactly one row is not", () => {
    expect(packText([1, 2, 3], 2).randomWindows(new Random(1), 0, 2)).toEqual([
      { ids: [1, 2, 3], completionStart: 1 },
      { ids: [1, 2, 3], completionStart: 1 },
    ]);
    expect(() => packText([1, 2], 2, "a.txt")).toThrow(
      "data.sequenceLength: a.txt has 2 tokens, too few for one row of 2. Give at least 3 tokens",
    );
    expect(() => packText(ids, 0)).toThrow("above 0");
  });
});
