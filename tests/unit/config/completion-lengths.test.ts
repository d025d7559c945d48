import { expect, test } from "vitest";
import {
  completionLengths,
  contextNotes,
  type PreparedData,
  positionsNeeded,
} from "../../../src/config/index.js";
import { tinyRun } from "../../setup/runs/runs.js";

const data = { maxNewTokens: 5, longestPrompt: 10, positions: 12 } as PreparedData;
const config = (trainer: object, evaluation: object = {}) =>
  tinyRun("runs", {
    teacher: { from: "teacher" },
    trainer: { type: "distill", steps: 1, loss: [{ type: "reverse-kl" }], ...trainer },
    evaluation,
  });

test("completions are as long as the data's where nothing is said", () => {
  expect(completionLengths(config({}), data)).toEqual({ training: 5, evaluation: 5 });
});

test("evaluations are as in training unless they say otherwise", () => {
  const run = config({ maxNewTokens: 32 });
  expect(completionLengths(run, data)).toEqual({ training: 32, evaluation: 32 });
  const both = config({ maxNewTokens: 32 }, { maxNewTokens: 7 });
  expect(completionLengths(both, data)).toEqual({ training: 32, evaluation: 7 });
});

test("a fresh student has room for the longest completion behind the longest prompt", () => {
  expect(positionsNeeded(config({}), data)).toBe(14);
  expect(positionsNeeded(config({ maxNewTokens: 32 }), data)).toBe(41);
  expect(positionsNeeded(config({}), { ...data, positions: 50 })).toBe(50);
});

test("what the context cuts off is said once, with its numbers", () => {
  const run = config({ maxNewTokens: 32 });
  expect(contextNotes(run, data, 41)).toEqual([]);
  expect(contextNotes(run, data, 40)).toEqual([
    "Completions behind long prompts are cut off: of the context of 40 tokens the longest prompt takes 10, which leaves 31 of the 32 new tokens asked for.",
  ]);
});
