import { expect, test } from "vitest";
import { withoutGaps } from "../../../../src/node/view/list-page.js";

const at = (...steps: readonly number[]) => steps.map((step) => ({ step, loss: step / 2 }));
const stepsOf = (steps: readonly number[]) =>
  withoutGaps(at(...steps)).map((part) => part.map(({ step }) => step));

test("a small curve has no line over the middle of a log that was not read", () => {
  expect(stepsOf([1, 2, 3, 4, 90, 91, 92])).toEqual([
    [1, 2, 3, 4],
    [90, 91, 92],
  ]);
  // Logged every ten steps, one of them not finite.
  expect(stepsOf([10, 20, 40, 50])).toEqual([[10, 20, 40, 50]]);
  expect(stepsOf([7])).toEqual([[7]]);
  expect(stepsOf([])).toEqual([]);
});
