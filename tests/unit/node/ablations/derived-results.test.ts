import { expect, test } from "vitest";
import type { CellResult } from "../../../../src/node/ablations/cell-results.js";
import { derivedResult } from "../../../../src/node/ablations/derived-results.js";

/** Cells of one arm whose measure is a mean over four problems. */
function cells(arm: string, bySeed: readonly number[]): CellResult[] {
  return bySeed.map((value, seed) => ({
    ...{ arm, seed, folder: "", curve: [], warnings: [], cost: {} as CellResult["cost"] },
    metrics: { accuracy: value },
    problems: { accuracy: [value, value, value, value] },
  }));
}

const measure = {
  ...({ type: "gap-recovered", metric: "accuracy" } as const),
  ...{ arm: "taught", low: "base", high: "rl" },
};

test("the share of a gap that every seed has comes with an interval", () => {
  const all = [
    ...cells("base", [0.1, 0.2]),
    ...cells("rl", [0.5, 0.7]),
    ...cells("taught", [0.4, 0.4]),
  ];
  const found = derivedResult("share", measure, all);
  expect(found?.value).toBeCloseTo(0.25 / 0.45, 12);
  expect(found?.low).toBeLessThan(found?.value as number);
});

test("the order of a measure on the way is compared with that of whole runs", () => {
  const arms = ["a", "b", "c"];
  const chooser = [0, 1].map((seed) => ({
    ...(cells("choice", [0, 0])[seed] as CellResult),
    metrics: { "chosen.a": 0.1 + seed / 100, "chosen.b": 0.3, "chosen.c": 0.2 },
    problems: {},
  }));
  const all = [...chooser, ...arms.flatMap((arm, i) => cells(arm, [0.1 * i, 0.1 * i]))];
  const order = {
    type: "rank-correlation" as const,
    points: arms.map((arm) => ({ arm: "choice", metric: `chosen.${arm}` })),
    with: arms.map((arm) => ({ arm, metric: "accuracy" })),
  };
  const found = derivedResult("order", order, all);
  // b and c are turned round.
  expect(found?.value).toBeCloseTo(1 / 3, 12);
  expect(found?.seeds).toBe(2);
  expect(derivedResult("order", order, all.slice(2))).toBeUndefined();
});

test("the share of a gap that goes either way has none", () => {
  const all = [
    ...cells("base", [0.2, 0.2]),
    ...cells("rl", [0.1, 0.4]),
    ...cells("taught", [0.4, 0.4]),
  ];
  const found = derivedResult("share", measure, all);
  expect(found?.value).toBeCloseTo(4, 12);
  expect(found).not.toHaveProperty("low");
});
