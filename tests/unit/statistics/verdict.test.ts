import { expect, test } from "vitest";
import {
  combineVerdicts,
  comparisonRule,
  judge,
  mean,
  quantile,
  sampleVariance,
  standardError,
} from "../../../src/statistics/index.js";

test.each([
  ["higher", 0, 0.1, 0.3, "supported"],
  ["higher", 0, -0.1, 0.3, "cannot tell"],
  ["higher", 0, 0, 0.3, "cannot tell"],
  ["higher", 0, -0.3, -0.1, "contradicted"],
  ["lower", 0, -0.3, -0.1, "supported"],
  ["lower", 0, 0.1, 0.3, "contradicted"],
  ["lower", 0, -0.3, 0, "cannot tell"],
  ["higher", 0.2, 0.1, 0.3, "cannot tell"],
  ["higher", 0.2, 0.21, 0.3, "supported"],
  ["higher", 0.2, 0.05, 0.15, "contradicted"],
  ["lower", 0.2, -0.3, -0.21, "supported"],
] as const)("%s by more than %f with [%f, %f]: %s", (direction, margin, low, high, result) => {
  expect(judge({ direction, margin }, { low, high })).toBe(result);
});

test("one seed cannot tell", () => {
  expect(judge({ direction: "higher" }, {})).toBe("cannot tell");
});

test("a claim of several parts needs all of them", () => {
  expect(combineVerdicts(["supported", "supported"])).toBe("supported");
  expect(combineVerdicts(["supported", "cannot tell"])).toBe("cannot tell");
  expect(combineVerdicts(["cannot tell", "contradicted"])).toBe("contradicted");
  expect(combineVerdicts([])).toBe("cannot tell");
});

test("a rule is a sentence that can be written down before a run", () => {
  const comparison = { arm: "kdrl", baseline: "grpo", metric: "heldOut.accuracy" };
  expect(comparisonRule({ ...comparison, direction: "higher" })).toBe(
    "the 95 % interval of heldOut.accuracy of kdrl minus grpo lies above 0",
  );
  expect(comparisonRule({ ...comparison, direction: "lower", margin: 0.1 })).toMatch(
    /below -0\.1$/,
  );
});

test("summaries are those of the textbook", () => {
  expect(mean([1, 2, 6])).toBe(3);
  expect(sampleVariance([1, 2, 6])).toBe(7);
  expect(standardError([1, 2, 6])).toBeCloseTo(Math.sqrt(7 / 3), 12);
  expect(standardError([5])).toBe(0);
  expect(quantile([1, 2, 3, 4], 0.25)).toBe(1.75);
  expect(quantile([1, 2, 3, 4], 1)).toBe(4);
});
