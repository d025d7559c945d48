import { expect, test } from "vitest";
import { ticksAround } from "../../../playground/src/ui/charts/scales.js";

test.each([
  [0, 9.5, [0, 5, 10]],
  [0, 0.87, [0, 0.5, 1]],
  [0, 4, [0, 1, 2, 3, 4]],
  [-0.3, 2.1, [-1, 0, 1, 2, 3]],
  [0, 0.3, [0, 0.1, 0.2, 0.3]],
  [2, 2, [2]],
])("from %d to %d an axis has ticks around what is drawn", (least, most, expected) => {
  expect(ticksAround(least, most, 4)).toEqual(expected);
});
