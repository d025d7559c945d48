import { describe, expect, test } from "vitest";
import type { StopRule } from "../../../../src/config/index.js";
import { halving } from "../../../../src/node/ablations/halving.js";
import { Random } from "../../../../src/tensors/index.js";

const rule = (changes: object = {}): StopRule => ({
  ...{ type: "asha", metric: "loss", direction: "lowest", minSteps: 10, reduction: 3 },
  ...changes,
});

describe("successive halving", () => {
  test("compares at multiples of the first step, before the last", () => {
    expect(halving(rule(), 100).rungs).toEqual([10, 30, 90]);
    expect(halving(rule(), 90).rungs).toEqual([10, 30]);
    expect(halving(rule({ reduction: 1.5 }), 40).rungs).toEqual([10, 15, 23, 34]);
    expect(halving(rule(), 10).rungs).toEqual([]);
  });

  test("lets the best third go on, of those that are there by then", () => {
    const { add } = halving(rule(), 100);
    const at = (run: string, value: number) => add(run, [{ step: 10, value }]);
    expect(at("a", 5)).toBeUndefined();
    expect(at("b", 6)).toEqual({ step: 10, metric: "loss", value: 6, cutoff: 5 });
    expect(at("c", 4)).toBeUndefined();
    // Of four two go on, 4 and 5: one that is equal to the last of them does too.
    expect(at("d", 5)).toBeUndefined();
    expect(at("e", 4.5)).toBeUndefined();
    expect(at("f", 4.8)).toMatchObject({ cutoff: 4.5 });
  });

  test("takes the first evaluation at or after a step, once, and several steps at a time", () => {
    const { add } = halving(rule(), 100);
    expect(add("a", [{ step: 8, value: 1 }])).toBeUndefined();
    expect(
      add("a", [
        { step: 8, value: 1 },
        { step: 12, value: 2 },
        { step: 35, value: 3 },
      ]),
    ).toBeUndefined();
    expect(add("b", [{ step: 10, value: 1.5 }])).toBeUndefined();
    // Better at the first comparison, worse at the second.
    const both = [
      { step: 10, value: 1.5 },
      { step: 30, value: 3.5 },
    ];
    expect(add("b", both)).toEqual({ step: 30, metric: "loss", value: 3.5, cutoff: 3 });
    // It is told again until it is further.
    expect(add("b", both)).toMatchObject({ step: 30 });
    expect(add("b", [...both, { step: 40, value: 9 }])).toBeUndefined();
  });

  test("knows which way is better, and takes what is no number for the worst", () => {
    const { add } = halving(rule({ direction: "highest" }), 100);
    const at = (run: string, value: unknown) => add(run, [{ step: 10, value }]);
    expect(at("a", 0.2)).toBeUndefined();
    expect(at("b", 0.1)).toMatchObject({ cutoff: 0.2 });
    expect(at("c", 0.9)).toBeUndefined();
    expect(at("d", NaN)).toMatchObject({ value: NaN });
    expect(at("e", Infinity)).toMatchObject({ value: Infinity });
    expect(at("f", undefined)).toBeUndefined();
    const alone = halving(rule(), 100);
    expect(alone.add("a", [{ step: 10, value: NaN }])).toMatchObject({ step: 10 });
  });

  test("spends less than a third of the steps on a hundred runs, and the best one is whole", () => {
    const random = new Random(3).stream("halving");
    // Losses that fall to a level of their own: an order that the first comparison sees already.
    const runs = Array.from({ length: 100 }, (_, i) => ({
      name: `r${i}`,
      level: random.uniform(),
    }));
    const { add, rungs } = halving(rule(), 270);
    expect(rungs).toEqual([10, 30, 90]);
    let steps = 0;
    const whole: number[] = [];
    for (const { name, level } of runs) {
      const evaluations: { step: number; value: number }[] = [];
      let stop: unknown;
      for (let step = 10; step <= 270 && stop === undefined; step += 10) {
        evaluations.push({ step, value: level + 1 / step });
        stop = add(name, evaluations);
        steps += 10;
      }
      if (stop === undefined) whole.push(level);
    }
    expect(steps).toBeLessThan((100 * 270) / 3);
    expect(Math.min(...whole)).toBe(Math.min(...runs.map(({ level }) => level)));
  });
});
