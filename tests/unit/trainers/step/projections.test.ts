import { describe, expect, test } from "vitest";
import { crossEntropyLoss, hiddenStateLoss, lossTerm } from "../../../../src/losses/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { checkProjections, makeProjections } from "../../../../src/trainers/step/projections.js";

const sizes = {
  student: { numLayers: 2, hiddenSize: 4, numHeads: 1, numKeyValueHeads: 1, headDim: 4 },
  teacher: { numLayers: 3, hiddenSize: 6, numHeads: 1, numKeyValueHeads: 1, headDim: 6 },
};
const hidden = lossTerm(hiddenStateLoss, {});

describe("projections", () => {
  test("are from the last layer to the last, unless layers are named; each pair has one", () => {
    using last = makeProjections([hidden], sizes, new Random(1));
    expect([...(last?.parameters.keys() ?? [])]).toEqual(["projections.2-3.weight"]);
    expect(last?.parameters.get("projections.2-3.weight")?.shape).toEqual([6, 4]);
    expect(() => checkProjections([hidden], sizes, last)).not.toThrow();
    const layers: [number, number][] = [
      [1, 2],
      [2, 3],
    ];
    const both = [{ ...hidden, layers }, hidden];
    using named = makeProjections(both, sizes, new Random(1));
    expect([...(named?.parameters.keys() ?? [])]).toEqual([
      "projections.1-2.weight",
      "projections.2-3.weight",
    ]);
    expect(() => checkProjections(both, sizes, named)).not.toThrow();
    expect(() => checkProjections(both, sizes, last)).toThrow(/width 4 .* width 6/);
    expect(() => checkProjections([hidden], sizes, undefined)).toThrow(/makeProjections/);
  });

  test("are none where widths agree, nothing is compared, or a model shows no layers", () => {
    const same = { ...sizes, teacher: { ...sizes.teacher, hiddenSize: 4 } };
    const blind = { ...sizes, teacher: undefined };
    const labels = [lossTerm(crossEntropyLoss, {})];
    for (const [terms, of] of [
      [[hidden], same],
      [labels, sizes],
      [[hidden], blind],
    ] as const) {
      expect(makeProjections(terms, of, new Random(1))).toBeUndefined();
      expect(() => checkProjections(terms, of, undefined)).not.toThrow();
    }
  });

  test("keep lengths: normal weights of standard deviation 1/√Ds, by the seed", () => {
    const wide = {
      student: { ...sizes.student, hiddenSize: 64 },
      teacher: { ...sizes.teacher, hiddenSize: 100 },
    };
    const weights = (seed: number) => {
      using projections = makeProjections([hidden], wide, new Random(seed));
      return [...(projections?.parameters.get("projections.2-3.weight")?.dataSync() ?? [])];
    };
    const values = weights(1);
    const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(Math.sqrt(square)).toBeCloseTo(1 / 8, 2);
    expect(weights(1)).toEqual(values);
    expect(weights(2)).not.toEqual(values);
  });
});
