import { expect, test } from "vitest";
import { makeBatch } from "../../../../src/data/index.js";
import { stepCost, writingCost } from "../../../../src/trainers/step/step-cost.js";

const row = (length: number) => ({ ids: Array.from({ length }, () => 1), completionStart: 1 });

test("a step costs a pass per row, and one more for everybody who scores it", () => {
  using batch = makeBatch([row(3), row(5)], 0);
  using other = makeBatch([row(2)], 0);
  const scores = { tensors: () => ({}) };
  expect(stepCost([{ batch }, { batch: other }])).toEqual({
    ...{ studentTokens: 0, studentForwards: 3, teacherTokens: 0, teacherForwards: 0 },
  });
  // Six tokens of two rows were scored; the reference is a student of before.
  expect(stepCost([{ batch, teacher: scores, reference: scores }, { batch: other }])).toEqual({
    ...{ studentTokens: 0, studentForwards: 5, teacherTokens: 6, teacherForwards: 2 },
  });
});

test("writing costs a pass per token", () => {
  const rollouts = [{ completionIds: [1, 2, 3] }, { completionIds: [4] }];
  expect(writingCost(rollouts)).toMatchObject({ studentTokens: 4, studentForwards: 4 });
  expect(writingCost([])).toMatchObject({ studentTokens: 0, studentForwards: 0 });
});
