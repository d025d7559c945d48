import { describe, expect, test } from "vitest";
import { baselineOf, expandArms, seedList } from "../../../src/config/index.js";

describe("the arms of an ablation", () => {
  test("are those it names", () => {
    const arms = { plain: {}, fast: { "trainer.learningRate": 1 } };
    expect(expandArms({ arms }, "a.json")).toEqual([
      { name: "plain", changes: {} },
      { name: "fast", changes: { "trainer.learningRate": 1 } },
    ]);
  });

  test("are every combination of what it varies, of each arm", () => {
    const vary = { "trainer.learningRate": [1, 2], "trainer.loss.0.type": ["a", "b"] };
    expect(expandArms({ vary }, "a.json").map(({ name }) => name)).toEqual([
      "learningRate=1, type=a",
      "learningRate=1, type=b",
      "learningRate=2, type=a",
      "learningRate=2, type=b",
    ]);
    const both = expandArms({ arms: { x: { z: 0 }, y: {} }, vary: { k: [1, 2] } }, "a.json");
    expect(both.map(({ name }) => name)).toEqual(["x, k=1", "x, k=2", "y, k=1", "y, k=2"]);
    expect(both[1]?.changes).toEqual({ z: 0, k: 2 });
  });

  test.each([
    [{}, /0 arm|1 arm/],
    [{ arms: { only: {} } }, /1 arm is nothing to compare/],
    [{ vary: { k: [1] } }, /1 arm is nothing to compare/],
    [{ arms: { a: {}, b: { seed: 3 } } }, /a\.json: arms\.b: "seed" is set by the runner/],
    [{ arms: { a: {}, b: { output: "x" } } }, /"output" is set by the runner/],
  ])("%j is refused", (file, message) => {
    expect(() => expandArms(file, "a.json")).toThrow(message);
  });
});

test("the baseline is the first arm or the one that is named", () => {
  const arms = [
    { name: "first", changes: {} },
    { name: "second", changes: {} },
  ];
  expect(baselineOf(arms, undefined, "a.json")).toBe("first");
  expect(baselineOf(arms, "second", "a.json")).toBe("second");
  expect(() => baselineOf(arms, "secnd", "a.json")).toThrow(/Did you mean "second"/);
});

test("seeds are a number of them, or a list", () => {
  expect(seedList(3)).toEqual([1, 2, 3]);
  expect(seedList([7, 0])).toEqual([7, 0]);
});
