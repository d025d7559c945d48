import { describe, expect, test } from "vitest";
import { ablationSchema, expandArms, parseConfig } from "../../../src/config/index.js";

const armsOf = (file: object) =>
  expandArms(parseConfig(ablationSchema, { name: "n", run: {}, ...file }, "a.json"), "a.json");
const valuesOf = (file: object, path: string) =>
  armsOf(file).map(({ changes }) => changes[path] as number);

const rate = { low: 1e-4, high: 1e-1, scale: "log" };
const size = { low: 2, high: 9, integer: true };
const style = ["a", "b", "c"];
const vary = { "trainer.learningRate": rate, "trainer.batchSize": size, style };

describe.each(["random", "latin-hypercube"])("%s draws", (type) => {
  const draws = { type, count: 24, seed: 5 };

  test("lie in their ranges and lists, are called by their values, and are the same for a seed", () => {
    const arms = armsOf({ vary, draws });
    expect(arms).toHaveLength(24);
    for (const { name, changes } of arms) {
      const lr = changes["trainer.learningRate"] as number;
      const n = changes["trainer.batchSize"] as number;
      expect(lr).toBeGreaterThanOrEqual(1e-4);
      expect(lr).toBeLessThanOrEqual(1e-1);
      expect(Number(lr.toPrecision(6))).toBe(lr);
      expect([2, 3, 4, 5, 6, 7, 8, 9]).toContain(n);
      expect(style).toContain(changes["style"]);
      expect(name).toBe(`learningRate=${lr}, batchSize=${n}, style=${String(changes["style"])}`);
    }
    expect(armsOf({ vary, draws })).toEqual(arms);
    expect(armsOf({ vary, draws: { ...draws, seed: 6 } })).not.toEqual(arms);
    // The first draws do not depend on how many there are, unless they share out the range.
    const few = armsOf({ vary, draws: { ...draws, count: 6 } });
    if (type === "random") expect(few).toEqual(arms.slice(0, 6));
  });

  test("come once each, times the arms that are named", () => {
    const few = { style, k: [1, 2] };
    const arms = armsOf({ vary: few, draws: { type: "random", count: 6 } });
    expect(new Set(arms.map(({ name }) => name)).size).toBe(6);
    expect(() => armsOf({ vary: few, draws: { type, count: 7 } })).toThrow(
      /a\.json: draws\.count: finds no draw after the \d that there are/,
    );
    const both = armsOf({
      arms: { x: { z: 1 }, y: {} },
      vary: { style },
      draws: { type, count: 2 },
    });
    expect(both).toHaveLength(4);
    expect(both[0]?.name).toMatch(/^x, style=/);
    expect(both[0]?.changes).toMatchObject({ z: 1 });
  });
});

describe("draws of a Latin hypercube", () => {
  const draws = { type: "latin-hypercube", count: 24, seed: 2 };

  test("have one in each equal part of every range, of logarithms where it is logarithmic", () => {
    const lows = valuesOf({ vary, draws }, "trainer.learningRate").map((lr) =>
      Math.floor((24 * Math.log10(lr / 1e-4)) / 3),
    );
    expect(lows.sort((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, i) => i));
    const counts = new Map<number, number>();
    for (const n of valuesOf({ vary, draws }, "trainer.batchSize"))
      counts.set(n, (counts.get(n) ?? 0) + 1);
    expect([...counts.values()]).toEqual(Array.from({ length: 8 }, () => 3));
  });

  test("pair the fields anew", () => {
    const two = { a: { low: 0, high: 1 }, b: { low: 0, high: 1 } };
    const parts = (path: string) =>
      valuesOf({ vary: two, draws }, path).map((x) => Math.floor(x * 24));
    expect(parts("a")).not.toEqual(parts("b"));
  });
});

test("random draws of a logarithmic range are as many in each decade", () => {
  const values = valuesOf(
    { vary: { x: rate }, draws: { type: "random", count: 900, seed: 1 } },
    "x",
  );
  // Of 900 draws 300 in each of three decades; four standard deviations are 57.
  for (const from of [1e-4, 1e-3, 1e-2]) {
    const count = values.filter((x) => x >= from && x < 10 * from).length;
    expect(Math.abs(count - 300)).toBeLessThan(57);
  }
});

test.each<[object, RegExp]>([
  [{ vary: { x: rate } }, /a\.json: vary\.x: is a range.*"draws"/],
  [{ vary: { x: { low: 2, high: 1 } } }, /`low` is not below `high`/],
  [{ vary: { x: { low: 0, high: 1, scale: "log" } } }, /begins above 0/],
  [{ vary: { x: { low: 0.5, high: 3, integer: true } } }, /ends of a range of integers/],
  [{ arms: { a: {}, b: {} }, draws: { type: "random", count: 2 } }, /nothing to draw from/],
  [{ vary: { x: rate }, draws: { type: "sobol", count: 2 } }, /draws\.type/],
])("%j is refused", (file, message) => {
  expect(() => armsOf(file)).toThrow(message);
});
