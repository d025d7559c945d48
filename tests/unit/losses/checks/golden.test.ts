import { describe, expect, test } from "vitest";
import { PupilError } from "../../../../src/errors/index.js";
import {
  findLoss,
  type GoldenCase,
  parseGoldenCases,
  runGoldenCase,
} from "../../../../src/losses/index.js";

const inputs = {
  studentLogits: [[[1, 2, 3, 0.5]]],
  teacherLogits: [[[3, 1, 0.2, -1]]],
};
const known: GoldenCase = {
  loss: "forward-kl",
  config: { temperature: 2 },
  inputs,
  expected: { values: [[0.46732584]] },
};
const run = (changes: Partial<GoldenCase>) => {
  const golden = { ...known, ...changes };
  return runGoldenCase(findLoss(golden.loss), golden);
};

test("a known value and its gradient are met, wrong ones are not", async () => {
  expect((await run({})).worstError).toBeLessThan(1e-6);
  const gradients = { studentLogits: [[[-0.738042, 0.12062, 0.580724, 0.036698]]] };
  const both = { config: {}, expected: { values: [[1.63903521]], gradients } };
  expect((await run(both)).worstError).toBeLessThan(2e-6);
  // Relative to the largest entry: 0.01 of 0.738.
  const off = { studentLogits: [[[-0.738042, 0.13062, 0.580724, 0.036698]]] };
  const { worstError, where } = await run({ config: {}, expected: { gradients: off } });
  expect(worstError).toBeCloseTo(0.01 / 0.738042, 4);
  expect(where).toBe("gradient of studentLogits");
});

test("gradients are of the sum of the values", async () => {
  const two = {
    studentLogits: [
      [
        [1, 2, 3, 0.5],
        [1, 2, 3, 0.5],
      ],
    ],
    teacherLogits: [
      [
        [3, 1, 0.2, -1],
        [3, 1, 0.2, -1],
      ],
    ],
  };
  const gradient = [-0.738042, 0.12062, 0.580724, 0.036698];
  const expected = { gradients: { studentLogits: [[gradient, gradient]] } };
  expect((await run({ config: {}, inputs: two, expected })).worstError).toBeLessThan(2e-6);
});

test("masks that are left out are 1", async () => {
  const lists = { studentScores: [[1, 2, 3, 0.5]], teacherScores: [[3, 1, 0.2, -1]] };
  const { worstError } = await run({ loss: "list-kl", inputs: lists });
  expect(worstError).toBeLessThan(1e-6);
});

describe("what does not fit is said", () => {
  test.each([
    [{ config: { temprature: 2 } }, /temprature/],
    [{ inputs: { studentLogits: inputs.studentLogits } }, /also needs teacherLogits/],
    [{ inputs: { ...inputs, teacherLogit: [[[1]]] } }, /Did you mean "teacherLogits"/],
    [
      {
        inputs: {
          ...inputs,
          teacherLogits: [
            [
              [1, 2, 3],
              [1, 2],
            ],
          ],
        },
      },
      /inputs\.teacherLogits: .*lengths/,
    ],
    [
      { inputs: { ...inputs, teacherLogits: [[["1", 2, 3, 4]]] as never } },
      /"1" is neither a number/,
    ],
    [{ inputs: { ...inputs, teacherLogits: [[[1, 2, 3]]] } }, /do not fit the loss: .*\[1, 1, 3\]/],
    [{ expected: { values: [[1, 2]] } }, /expected\.values: it has 2 numbers, the loss gives 1/],
    [{ expected: { gradients: { labels: [[1]] } } }, /expected\.gradients\.labels: /],
  ])("%o", async (changes, message) => {
    await expect(run(changes)).rejects.toThrow(PupilError);
    await expect(run(changes)).rejects.toThrow(message);
  });
});

describe("a file of cases", () => {
  test("is read, other keys are left alone", () => {
    expect(parseGoldenCases({ madeBy: "me", cases: [known] }, "x.json")).toEqual([known]);
  });

  test.each([
    [[], /^x\.json: /],
    [{}, /^x\.json: cases: /],
    [{ cases: [] }, /^x\.json: cases: /],
    [{ cases: [{ ...known, loss: 3 }] }, /^x\.json: cases\.0\.loss: /],
    [{ cases: [known, { ...known, inputs: { studentLogits: null } }] }, /cases\.1\.inputs\.stud/],
    [{ cases: [{ ...known, expected: {} }] }, /cases\.0\.expected: is \{\}: holds neither/],
    [{ cases: [{ ...known, expected: { value: [[1]] } }] }, /cases\.0\.expected: .*value/],
    [{ cases: [{ ...known, input: {} }] }, /cases\.0: .*input/],
  ])("%j is refused with its place", (json, message) => {
    expect(() => parseGoldenCases(json, "x.json")).toThrow(PupilError);
    expect(() => parseGoldenCases(json, "x.json")).toThrow(message);
  });
});
