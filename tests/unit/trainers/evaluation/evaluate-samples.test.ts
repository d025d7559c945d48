import { expect, test } from "vitest";
import { encodePrompt } from "../../../../src/data/index.js";
import {
  budgetProductReward,
  exactReward,
  formatReward,
  rewardTerm,
} from "../../../../src/rollouts/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { evaluateSamples, type EvaluationSet } from "../../../../src/trainers/index.js";
import { problems, source, tinyModel, tokenizer } from "../reinforce/setup.js";

test("several completions of each problem are measured, and are the same in any batches", async () => {
  using student = tinyModel(1);
  const asked = await problems.problems(0, 3);
  const set: EvaluationSet = {
    name: "heldOut",
    rows: [],
    prompts: asked.map(({ prompt }) => encodePrompt(tokenizer, prompt)),
    asked: { problems: asked, source: { ...source, verify } },
  };
  // Whatever begins with an even digit is right; the first digit is the answer.
  function verify(_: unknown, completion: string) {
    const [answer] = /^\d/.exec(completion) ?? [];
    const correct = answer !== undefined && Number(answer) % 2 === 0;
    return { answer, correct, traceCorrect: false };
  }
  const options = {
    ...{ tokenizer, maxNewTokens: 3, random: new Random(1), samplesPerPrompt: 4 },
    rewards: [rewardTerm(exactReward, {}), rewardTerm(formatReward, { mode: "lenient" })],
  };
  const measures = await evaluateSamples(student, set, options);
  expect(Object.keys(measures)).toEqual([
    ...["heldOut.passAt1", "heldOut.passAt2", "heldOut.passAt4", "heldOut.majAt4"],
    ...["heldOut.tokensPerAnswer", "heldOut.reward"],
  ]);
  const { "heldOut.passAt1": one = 0, "heldOut.passAt4": four = 0 } = measures;
  expect(one).toBeGreaterThan(0);
  expect(four).toBeGreaterThan(one);
  // 12 completions of which each is right or not.
  expect((12 * one) % 1).toBeCloseTo(0, 9);
  expect(measures["heldOut.reward"]).toBeGreaterThanOrEqual(2 * one);
  expect(await evaluateSamples(student, set, { ...options, batchSize: 5 })).toEqual(measures);
  const { asked: _, ...unjudged } = set;
  expect(await evaluateSamples(student, unjudged, options)).toEqual({});
});

test("a reward of a budget goes by that of the set, and is left out of sets without one", async () => {
  using student = tinyModel(1);
  const asked = await problems.problems(0, 3);
  const right = () => ({ answer: "", correct: true, traceCorrect: false });
  const set: EvaluationSet = {
    name: "b2",
    rows: [],
    prompts: asked.map(({ prompt }) => encodePrompt(tokenizer, prompt)),
    asked: { problems: asked, source: { ...source, verify: right } },
  };
  const options = {
    ...{ tokenizer, maxNewTokens: 3, random: new Random(1), samplesPerPrompt: 2 },
    rewards: [rewardTerm(budgetProductReward, { tolerance: 0.1 })],
  };
  const worth = async (budget?: number) =>
    evaluateSamples(student, budget === undefined ? set : { ...set, budget }, options);
  expect(await worth(100)).toMatchObject({ "b2.reward": 1 });
  expect((await worth(1))["b2.reward"]).toBeLessThan(1);
  expect(await worth()).not.toHaveProperty(["b2.reward"]);
});
