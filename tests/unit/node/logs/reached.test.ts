import { expect, test } from "vitest";
import { reachedIn } from "../../../../src/node/index.js";
import { betterDirection } from "../../../../src/trainers/index.js";

test("a measure has its first, last and best value, the earliest of equal ones", () => {
  const evaluations = [
    { step: 0, values: { "a.loss": 2, "a.accuracy": 0.5, "a.meanLength": 9 } },
    { step: 5, values: { "a.loss": 1, "a.accuracy": 0.75, "a.meanLength": 3, "a.reward": 1 } },
    { step: 9, values: { "a.loss": Infinity, "a.accuracy": 0.75, "a.meanLength": 4 } },
  ];
  expect(reachedIn(evaluations)).toEqual([
    { name: "a.loss", first: 2, last: Infinity, best: { value: 1, step: 5 } },
    { name: "a.accuracy", first: 0.5, last: 0.75, best: { value: 0.75, step: 5 } },
    { name: "a.meanLength", first: 9, last: 4 },
    { name: "a.reward", first: 1, last: 1, best: { value: 1, step: 5 } },
  ]);
  expect(reachedIn([{ step: 1, values: { "a.loss": Number.NaN } }])).toEqual([
    { name: "a.loss", first: Number.NaN, last: Number.NaN },
  ]);
});

test.each([
  [
    "higher",
    "heldOut.accuracy passAt4 x.majAt8 reward ndcg10 windowKendallTau pairMargin windowWholeRate",
  ],
  [
    "lower",
    "heldOut.loss perplexity a.forwardKl reverseKl teacherListKl budgetError violationRate",
  ],
  [undefined, "meanLength endRate tokensPerAnswer positiveLogProb a.lossless"],
])("%s is better for %s", (direction, names) => {
  for (const name of names.split(" ")) expect(betterDirection(name), name).toBe(direction);
});
