import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import {
  crossEntropyLoss,
  forwardKlLoss,
  guidedPolicyGradientLoss,
  hiddenStateLoss,
  lossTerm,
  policyGradientLoss,
  reverseKlLoss,
  sampledReverseKlLoss,
} from "../../../../src/losses/index.js";
import {
  defineReward,
  formatReward,
  type RewardTerm,
  rewardTerm,
} from "../../../../src/rollouts/index.js";
import { modelTeacher, promptedTeacher } from "../../../../src/teachers/index.js";
import { AdamW } from "../../../../src/optim/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { reinforce, type StepTerm } from "../../../../src/trainers/index.js";
import { watchIdleRollouts } from "../../../../src/trainers/reinforce/idle-rollouts.js";
import { given, plain, problems, source, tinyModel, tokenizer, train, written } from "./setup.js";
import { z } from "zod";

/** How close float32 sums in another order are. */
function expectNear(actual: readonly number[], expected: readonly number[], within = 2e-5): void {
  expect(actual).toHaveLength(expected.length);
  const gap = actual.reduce(
    (most, x, i) => Math.max(most, Math.abs(x - (expected[i] as number))),
    0,
  );
  expect(gap).toBeLessThan(within);
}

/** A reward of nothing but the completion's first character: every group has some variance. */
const firstCharacter: RewardTerm = rewardTerm(
  defineReward({
    ...{ name: "first", summary: "", reference: "", needs: [] },
    config: z.strictObject({}),
    evaluate: ({ completion }) => (completion.codePointAt(0) ?? 0) / 100,
  }),
  {},
);
const rewards = [firstCharacter];

describe("a step", () => {
  test("is made of the student's own completions at a ratio of 1, and says what it cost", async () => {
    const { metrics } = await train({ rewards });
    const [first] = metrics;
    expect(first?.diagnostics["ratioMean"]).toBeCloseTo(1, 4);
    expect(first?.diagnostics["clipFraction"]).toBe(0);
    expect(first).toMatchObject({ onPolicyShare: 1, degenerateGroups: 0 });
    const tokens = Math.round((first?.rolloutLength ?? 0) * 16);
    expect(first?.tokens).toBe(tokens);
    // Every token is a pass of its own, and every row of the update one more.
    expect(first?.cost).toEqual({
      studentTokens: tokens,
      studentForwards: tokens + 16,
      teacherTokens: 0,
      teacherForwards: 0,
    });
    expect(first?.reward).toBeCloseTo(first?.rewards?.["first"] as number, 12);
  });

  test("has the loss −mean(A) over tokens where nothing has moved yet", async () => {
    // One group of rewards 1 and 0: advantages ½ and −½ for 1 and 2 tokens, ratio 1.
    using student = tinyModel(1);
    const [problem] = await problems.problems(0, 1);
    if (problem === undefined) throw new Error("no problem");
    const ids = (text: string) => [...tokenizer.encode(text), ...tokenizer.endIds];
    const logProbs = (text: string) =>
      tf.tidy(() => {
        const all = [...tokenizer.encode(problem.prompt), ...ids(text)];
        const input = tf.tensor2d([all.slice(0, -1)], undefined, "int32");
        const logits = student.forward({
          inputIds: input,
          attentionMask: tf.onesLike(input).toFloat(),
        } as never);
        const scores = tf.logSoftmax(logits).arraySync() as number[][][];
        const start = all.length - ids(text).length;
        return ids(text).map((id, t) => scores[0]?.[start - 1 + t]?.[id] as number);
      });
    const right = problem.answer;
    const wrong = "999";
    const sampler = given((asked, i) =>
      [right, wrong].map((text) => written(asked, i, text, 9, logProbs(text))),
    );
    const advantage = { divideByStd: false };
    const [step] = (await train({ sampler, advantage, batchSize: 1, steps: 1 })).metrics;
    const [a, b] = [ids(right).length, ids(wrong).length];
    expect(step?.terms["policy-gradient"]).toBeCloseTo(-(0.5 * a - 0.5 * b) / (a + b), 5);
    expect(step).toMatchObject({ reward: 0.5, rewardStd: 0.5, correctShare: 0.5 });
    const perSequence: StepTerm[] = [lossTerm(policyGradientLoss, { aggregation: "sequence" })];
    const [mean] = (await train({ sampler, advantage, batchSize: 1, steps: 1, loss: perSequence }))
      .metrics;
    expect(mean?.terms["policy-gradient"]).toBeCloseTo(0, 5);
  });

  test("does not depend on how it is split up, or packed", async () => {
    const loss = [lossTerm(policyGradientLoss, {}), lossTerm(reverseKlLoss, {}, 0.5)];
    using teacher = modelTeacher(tinyModel(2));
    const options = { rewards, loss, teacher, advantage: { teacher: usualTeacher } };
    const whole = await train(options);
    for (const changes of [{ gradientAccumulationSteps: 3 }, { packing: true }]) {
      const split = await train({ ...options, ...changes });
      expectNear(split.weights, whole.weights);
      expect(split.metrics.map(({ reward }) => reward)).toEqual(
        whole.metrics.map(({ reward }) => reward),
      );
    }
  });

  test("leaves no tensor behind", async () => {
    using teacher = modelTeacher(tinyModel(2));
    using reference = modelTeacher(tinyModel(1));
    const counts: number[] = [];
    const counted: RewardTerm = {
      ...firstCharacter,
      definition: {
        ...firstCharacter.definition,
        evaluate: (row, config, context) => {
          counts.push(tf.memory().numTensors);
          return firstCharacter.definition.evaluate(row, config, context);
        },
      },
    };
    const loss: StepTerm[] = [
      lossTerm(policyGradientLoss, {}),
      { ...lossTerm(sampledReverseKlLoss, {}), against: "reference" },
    ];
    const all = { teacher, reference, loss, advantage: { teacher: usualTeacher } };
    await train({ ...all, rewards: [counted], steps: 4 });
    // The optimizer makes its moments at the first step.
    expect(new Set(counts.slice(16)).size).toBe(1);
  });
});

const usualTeacher = {
  ...{ weight: 1, rows: "all" as const, discount: 0, lengthNormalized: false },
  ...{ afterToken: false, limit: null },
};

describe("several updates of one batch of rollouts", () => {
  test("use its parts in turn, with the old log-probabilities of the sampling", async () => {
    const { metrics } = await train({ rewards, steps: 8, updatesPerRollout: 4, minibatches: 2 });
    expect(metrics.map(({ isMidRollout }) => isMidRollout ?? false)).toEqual([
      true,
      true,
      true,
      false,
      true,
      true,
      true,
      false,
    ]);
    const ratios = metrics.map(({ diagnostics }) => diagnostics["ratioMean"] as number);
    expect(ratios[0]).toBeCloseTo(1, 4);
    expect(ratios[4]).toBeCloseTo(1, 4);
    for (const update of [1, 2, 3])
      expect(Math.abs((ratios[update] as number) - 1)).toBeGreaterThan(1e-3);
    // Both halves of a batch have its rewards; what sampling cost is said once.
    expect(metrics[1]?.reward).toBe(metrics[0]?.reward);
    expect(metrics.map(({ cost }) => (cost?.studentTokens ?? 0) > 0)).toEqual([
      true,
      false,
      false,
      false,
      true,
      false,
      false,
      false,
    ]);
    expect(metrics[1]?.cost?.studentForwards).toBe(8);
  });

  test("clip what has gone too far", async () => {
    const loss = [lossTerm(policyGradientLoss, { clipLow: 0.001, clipHigh: 0.001 })];
    const { metrics } = await train({ rewards, loss, steps: 4, updatesPerRollout: 4 });
    expect(metrics[3]?.diagnostics["clipFraction"]).toBeGreaterThan(0.1);
  });

  test("end with a whole batch", async () => {
    await expect(train({ steps: 3, updatesPerRollout: 2 })).rejects.toThrow(
      /trainer.steps: is 3.*middle of a batch of rollouts of 2/,
    );
    await expect(train({ steps: 4, updatesPerRollout: 2, startStep: 1 })).rejects.toThrow(
      /startStep/,
    );
    await expect(train({ steps: 4, updatesPerRollout: 2, minibatches: 4 })).rejects.toThrow(
      /multiple of trainer.minibatches/,
    );
  });
});

describe("what others wrote", () => {
  // Of each problem one right answer that a teacher wrote and a wrong one of the student's.
  const sampler = given((problem, i) => [
    written(problem, i, problem.answer, 0),
    written(problem, i, "99", 9),
  ]);
  const guided = lossTerm(guidedPolicyGradientLoss, {});

  test("is left out of ratios and learned by the loss that is for it", async () => {
    const loss = [lossTerm(policyGradientLoss, {}), guided];
    const { metrics } = await train({ sampler, loss, steps: 1 });
    expect(metrics[0]).toMatchObject({ onPolicyShare: 0.5, correctShare: 0.5 });
    // A > 0 for the teacher's tokens: −A f(p) < 0. A < 0 for the student's: −ρ A > 0.
    expect(metrics[0]?.terms["guided-policy-gradient"]).toBeLessThan(0);
    expect(metrics[0]?.terms["policy-gradient"]).toBeGreaterThan(0);
    const swapped = given((problem, i) => [
      written(problem, i, problem.answer, 9),
      written(problem, i, "99", 0),
    ]);
    const other = (await train({ sampler: swapped, loss, steps: 1 })).metrics[0]?.terms;
    expect(other?.["guided-policy-gradient"]).toBeGreaterThan(0);
    expect(other?.["policy-gradient"]).toBeLessThan(0);
  });

  test("is what labels are: cross-entropy counts nothing else", async () => {
    const loss = [lossTerm(policyGradientLoss, {}), lossTerm(crossEntropyLoss, {})];
    const learned = await train({ sampler, loss, steps: 1 });
    const alone = given((problem, i) => [written(problem, i, problem.answer, 0)]);
    const advantage = { baseline: "none" as const };
    const only = await train({ sampler: alone, loss, advantage, steps: 1 });
    const [a, b] = [learned, only].map(({ metrics }) => metrics[0]?.terms["cross-entropy"]);
    expect(a).toBeCloseTo(b as number, 5);
    const none = await train({ loss, rewards, steps: 1 });
    expect(none.metrics[0]?.terms["cross-entropy"]).toBe(0);
  });

  test("is no sample of the student's: estimators of the reverse KL leave it out", async () => {
    using teacher = modelTeacher(tinyModel(2));
    const loss = [lossTerm(policyGradientLoss, {}), lossTerm(sampledReverseKlLoss, {})];
    const both = await train({ sampler, loss, teacher, steps: 1 });
    const own = given((problem, i) => [written(problem, i, "99", 9)]);
    const advantage = { baseline: "none" as const };
    const only = await train({ sampler: own, loss, teacher, advantage, steps: 1 });
    const [a, b] = [both, only].map(({ metrics }) => metrics[0]?.terms["sampled-reverse-kl"]);
    expect(a).toBeCloseTo(b as number, 5);
  });
});

describe("models to be held against", () => {
  test("that read less than the student bound what it writes", async () => {
    const longest = async (maxPositions?: number) => {
      using model = modelTeacher(tinyModel(2));
      const teacher = { ...model, ...(maxPositions && { maxPositions }) };
      const loss = [lossTerm(policyGradientLoss, {}), lossTerm(reverseKlLoss, {})];
      const { metrics } = await train({ rewards, loss, teacher, steps: 1, maxNewTokens: 12 });
      return metrics[0]?.rolloutLength as number;
    };
    // A prompt has four tokens, and the last of a completion is never read.
    expect(await longest(5)).toBeLessThanOrEqual(2);
    expect(await longest()).toBeGreaterThan(2);
  });

  test("a teacher reads what the writer of a row was shown", async () => {
    const divergence = async (hint: string) => {
      using teacher = promptedTeacher(modelTeacher(tinyModel(1)), "{shown}", tokenizer);
      const sampler = given((problem, i) => [
        { ...written(problem, i, "5", 0), shownPrompt: hint + problem.prompt },
      ]);
      const loss = [lossTerm(forwardKlLoss, {})];
      const { metrics } = await train({ rewards: [], loss, teacher, sampler, steps: 1 });
      return metrics[0]?.terms["forward-kl"];
    };
    expect(await divergence("")).toBeCloseTo(0, 6);
    expect(await divergence("9:")).toBeGreaterThan(1e-3);
  });

  test("a reference is nothing away at the first step, and a term draws towards it", async () => {
    using reference = modelTeacher(tinyModel(1));
    const loss: StepTerm[] = [
      lossTerm(policyGradientLoss, {}),
      {
        ...lossTerm(sampledReverseKlLoss, { estimator: "k3-forward-gradient" }),
        against: "reference",
      },
    ];
    const { metrics } = await train({ rewards, loss, reference, steps: 5 });
    expect(metrics[0]?.diagnostics["referenceKl"]).toBeCloseTo(0, 5);
    expect(metrics[0]?.terms["sampled-reverse-kl"]).toBeCloseTo(0, 5);
    // k3 as a loss is k3 as a value, of the same tokens.
    const last = metrics[4];
    expect(last?.diagnostics["referenceKl"]).toBeGreaterThan(1e-5);
    expect(last?.diagnostics["referenceKl"]).toBeCloseTo(
      last?.terms["sampled-reverse-kl"] as number,
      4,
    );
    expect(last?.cost?.studentForwards).toBe((last?.cost?.studentTokens ?? 0) + 2 * 16);
  });

  test("a teacher speaks of failing completions alone where that is asked", async () => {
    using teacher = modelTeacher(tinyModel(2));
    const sampler = given((problem, i) => [
      written(problem, i, problem.answer, 9),
      written(problem, i, "99", 9),
    ]);
    const term = (rows: StepTerm["rows"]): StepTerm => ({
      ...lossTerm(reverseKlLoss, {}),
      ...(rows && { rows }),
    });
    const value = async (rows: StepTerm["rows"]) => {
      const loss = [lossTerm(policyGradientLoss, {}), term(rows)];
      return (await train({ sampler, loss, teacher, steps: 1 })).metrics[0]?.terms[
        "reverse-kl"
      ] as number;
    };
    const [all, failing, succeeding, groups] = [
      await value("all"),
      await value("failing"),
      await value("succeeding"),
      await value("failing-groups"),
    ];
    expect(failing).not.toBeCloseTo(succeeding, 3);
    // A mean over the tokens of both is between the two; no problem is without a right answer.
    expect((all - failing) * (all - succeeding)).toBeLessThan(0);
    expect(groups).toBe(0);
  });

  test("the teacher's log-ratios as advantages are k2 as a loss, at the first update", async () => {
    using teacher = modelTeacher(tinyModel(2));
    const shift = { ...usualTeacher, weight: 0.5 };
    const asAdvantage = await train({
      rewards: [],
      teacher,
      advantage: { teacher: shift },
      steps: 1,
    });
    const asLoss = await train({
      ...{ rewards: [], teacher, steps: 1 },
      loss: [lossTerm(sampledReverseKlLoss, {}, 0.5)],
    });
    expectNear(asAdvantage.weights, asLoss.weights, 1e-4);
    expect(asAdvantage.metrics[0]?.gradNorm).toBeCloseTo(asLoss.metrics[0]?.gradNorm as number, 3);
    expect(asAdvantage.metrics[0]?.reward).toBeUndefined();
  });
});

test("rewards may ask models how likely they find a text", async () => {
  using teacher = modelTeacher(tinyModel(2));
  const asked = defineReward({
    ...{ name: "asked", summary: "", reference: "", needs: ["teacher"] },
    config: z.strictObject({}),
    ask: ({ sampled: { promptIds, completionIds } }) =>
      (["student", "teacher"] as const).map((model) => ({
        ...{ model, promptIds, completionIds, temperature: 1 },
      })),
    evaluate: ({ answers: [own = [], other = []], sampled }) => {
      // The student is asked what it wrote itself: it says what the sampling said.
      expectNear(own, sampled.tokenLogProbs, 1e-4);
      expect(other).toHaveLength(own.length);
      return other.reduce((sum, value) => sum + value, 0);
    },
  });
  const { metrics } = await train({ rewards: [rewardTerm(asked, {})], teacher, steps: 1 });
  expect(metrics[0]?.reward).toBeLessThan(0);
  const { teacherForwards, teacherTokens, studentTokens } = metrics[0]?.cost ?? {};
  expect([teacherForwards, teacherTokens]).toEqual([16, studentTokens]);
});

describe("what would teach nothing is refused", () => {
  const refused = async (options: Parameters<typeof train>[0]) => {
    const error = await train(options).catch((reason: unknown) => reason as Error);
    return error instanceof Error ? error.message : "accepted";
  };

  test("one completion per problem, weights of 0, a teacher or reference that is not there", async () => {
    expect(await refused({ sampler: plain(1) })).toMatch(/no others to be compared with/);
    const none = { sampler: plain(1), advantage: { baseline: "none" as const } };
    expect(await refused({ ...none, steps: 1 })).toBe("accepted");
    expect(await refused({ rewards: [] })).toMatch(/nothing else to learn from/);
    expect(await refused({ rewards: [rewardTerm(formatReward, {}, 0)] })).toMatch(/weight 0/);
    expect(await refused({ advantage: { teacher: usualTeacher } })).toMatch(/there is no teacher/);
    const against: StepTerm = { ...lossTerm(reverseKlLoss, {}), against: "reference" };
    expect(await refused({ loss: [against] })).toMatch(/trainer.reference to "initial"/);
    expect(await refused({ loss: [lossTerm(reverseKlLoss, {})] })).toMatch(/only a teacher gives/);
    using reference = modelTeacher(tinyModel(1));
    const idle: StepTerm = { ...lossTerm(policyGradientLoss, {}), against: "reference" };
    expect(await refused({ loss: [idle], reference })).toMatch(/compares with no model/);
    const ofLayers = [lossTerm(policyGradientLoss, {}), lossTerm(hiddenStateLoss, {})];
    expect(await refused({ loss: ofLayers, teacher: reference })).toMatch(/compares layers/);
    expect(await refused({ problems: undefined as never })).toMatch(/problems/);
  });

  test("a sampler that the problems cannot serve", async () => {
    const sampler = given(() => []);
    const needs = (need: "teacher" | "respond") => ({
      ...sampler,
      definition: { ...sampler.definition, needs: [need] },
    });
    expect(await refused({ sampler: needs("teacher") })).toBe(
      'teacher: The sampler "given" needs a teacher, and none is given. Name a model folder in "teacher".',
    );
    using teacher = { ...modelTeacher(tinyModel(2)), name: "a server" };
    expect(await refused({ sampler: needs("teacher"), teacher })).toMatch(
      /^teacher: The sampler "given" needs a teacher that writes, which "a server" does not do/,
    );
    expect(source.respond).toBeUndefined();
    expect(await refused({ sampler: needs("respond") })).toMatch(
      /trainer\.sampler\.type: The sampler "given" cannot be used: task addition does not answer actions/,
    );
  });
});

describe("a dataset where no completion is better than another", () => {
  const sameReward = given((problem, i) => [0, 1].map(() => written(problem, i, "7", 1)));
  const reward = defineReward({
    ...{ name: "same", summary: "", reference: "", needs: [], config: z.strictObject({}) },
    evaluate: () => 0.25,
  });

  test("ends the run after 100 batches of rollouts, the last of which is told", async () => {
    using student = tinyModel(1);
    using optimizer = new AdamW(student.trainableParameters());
    const steps: number[] = [];
    const learn = async () => {
      for await (const { step, gradNorm, degenerateGroups } of reinforce({
        ...{ student, problems, tokenizer, optimizer, random: new Random(3), steps: 300 },
        ...{ rewards: [rewardTerm(reward, {})], sampler: sameReward, batchSize: 1 },
      })) {
        expect([gradNorm, degenerateGroups]).toEqual([0, 1]);
        steps.push(step);
      }
    };
    await expect(learn()).rejects.toThrow(
      "trainer.rewards: In none of 100 batches of rollouts did the completions of any problem differ in reward (0.250 on average): none is better than another, and nothing has been learned. Where all are wrong:",
    );
    expect(steps).toHaveLength(100);
  });

  test("does not where something was learned, of which updates of one batch count once", () => {
    const idle = { gradNorm: 0, degenerateGroups: 1, reward: 0 };
    const until = (...rows: Parameters<ReturnType<typeof watchIdleRollouts>>[0][]) => {
      const watch = watchIdleRollouts(2);
      return () => rows.forEach(watch);
    };
    expect(until(idle, idle)).toThrow(/In none of 2 batches/);
    expect(until({ ...idle, isMidRollout: true }, idle)).not.toThrow();
    expect(until({ ...idle, gradNorm: 0.1 }, idle, idle, idle)).not.toThrow();
    expect(until(idle, { ...idle, degenerateGroups: 0.9 }, idle, idle)).not.toThrow();
    // Only a teacher's opinion, or a step without rewards.
    expect(until({ gradNorm: 0 }, { gradNorm: 0 })).not.toThrow();
  });
});
