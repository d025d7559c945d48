import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AdvantageRow,
  advantageSchema,
  chosenRows,
  groupAdvantages,
  rewardToGo,
  spreadAdvantage,
  teacherShift,
  tokenAdvantages,
  whiten,
} from "../../../../src/rollouts/index.js";

const close = (actual: readonly number[], expected: readonly number[]) => {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 9);
};

describe("advantages over a group", () => {
  // Rewards 1, 0, 0, 0: mean 1/4, standard deviation √(3/16).
  const rewards = [1, 0, 0, 0];
  const groups = [3, 3, 3, 3];
  const std = Math.sqrt(3) / 4;

  test("are over the mean, by the standard deviation or not", () => {
    const grpo = groupAdvantages(rewards, groups, { stdFloor: 1e-4 });
    close(
      grpo.advantages,
      [0.75, -0.25, -0.25, -0.25].map((a) => a / (std + 1e-4)),
    );
    const plain = groupAdvantages(rewards, groups, { divideByStd: false });
    close(plain.advantages, [0.75, -0.25, -0.25, -0.25]);
  });

  test("are over the mean of the others, which is G/(G − 1) of those over the mean", () => {
    const { advantages } = groupAdvantages(rewards, groups, {
      baseline: "leave-one-out",
      divideByStd: false,
    });
    close(advantages, [1, -1 / 3, -1 / 3, -1 / 3]);
    const alone = groupAdvantages([5], [0], { baseline: "leave-one-out" });
    close(alone.advantages, [0]);
  });

  test("compare with nothing but the completions of the same problem", () => {
    const two = groupAdvantages([1, 0, 5, 7], [0, 0, 1, 1], { divideByStd: false });
    close(two.advantages, [0.5, -0.5, -1, 1]);
    const mixed = groupAdvantages([1, 5, 0, 7], [0, 1, 0, 1], { divideByStd: false });
    close(mixed.advantages, [0.5, -1, -0.5, 1]);
  });

  test("are 0 and counted where all rewards are equal, whatever rounding does to their mean", () => {
    const third = groupAdvantages([0.1, 0.1, 0.1, 1, 0], [0, 0, 0, 1, 1]);
    expect(third.advantages.slice(0, 3)).toEqual([0, 0, 0]);
    expect(third.isDegenerate).toEqual([true, true, true, false, false]);
    expect([third.groups, third.degenerateGroups]).toEqual([2, 1]);
    const raw = groupAdvantages([2, 2], [0, 0], { baseline: "none", divideByStd: false });
    expect(raw).toMatchObject({ advantages: [2, 2], degenerateGroups: 1 });
  });

  test("leave rows out of the baseline that do not count, and value them over it", () => {
    for (const baseline of ["mean", "leave-one-out"] as const) {
      const { advantages } = groupAdvantages([1, 0, 0], [0, 0, 0], {
        ...{ baseline, divideByStd: false, counted: [false, true, true] },
      });
      close(advantages, [1, 0, 0]);
    }
    const none = groupAdvantages([1, 0], [0, 0], { divideByStd: false, counted: [false, false] });
    close(none.advantages, [0.5, -0.5]);
  });

  test("over the mean sum to 0 in every group", () => {
    const reward = fc.double({ min: -10, max: 10, noNaN: true });
    fc.assert(
      fc.property(fc.array(reward, { minLength: 1, maxLength: 8 }), (values) => {
        const { advantages } = groupAdvantages(
          values,
          values.map(() => 0),
          { stdFloor: 1 },
        );
        expect(advantages.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 8);
      }),
    );
  });
});

describe("what a token leads to", () => {
  // MiniLLM's equations by hand, γ = 1/2.
  test("is the discounted sum of what is left", () => {
    close(rewardToGo([1, 2, 4], { discount: 0.5 }), [1 + 1 + 1, 2 + 2, 4]);
    close(rewardToGo([1, 2, 4], { discount: 0 }), [1, 2, 4]);
    close(rewardToGo([1, 2, 4], { discount: 1 }), [7, 6, 4]);
    expect(rewardToGo([], { discount: 1 })).toEqual([]);
  });

  test("or its mean, with or without the token's own", () => {
    close(rewardToGo([1, 2, 4], { discount: 1, lengthNormalized: true }), [7 / 3, 3, 4]);
    close(rewardToGo([1, 2, 4], { discount: 0.5, lengthNormalized: true }), [3 / 1.75, 4 / 1.5, 4]);
    close(rewardToGo([1, 2, 4], { discount: 0.5, afterToken: true }), [2, 2, 0]);
    close(rewardToGo([1, 2, 4], { discount: 0.5, afterToken: true, lengthNormalized: true }), [
      2 / 0.75,
      4,
      0,
    ]);
  });

  test("shares an outcome among the tokens, the last most", () => {
    close(spreadAdvantage(2, 3, 1), [2, 2, 2]);
    close(spreadAdvantage(2, 3, 0.5), [0.5, 1, 2]);
    expect(spreadAdvantage(2, 0, 1)).toEqual([]);
  });
});

describe("a teacher's opinion", () => {
  const plain = { discount: 0, limit: null };

  test("is log T − log S of the student's own tokens, within a limit", () => {
    close(teacherShift([-1, -2, -9], [-3, -1, -1], [1, 1, 1], plain), [2, -1, -8]);
    close(teacherShift([-1, -2, -9], [-3, -1, 0], [1, 1, 0], plain), [2, -1, 0]);
    close(
      teacherShift([-1, -2, -9], [-3, -1, -1], [1, 1, 1], { ...plain, limit: 1.5 }),
      [1.5, -1, -1.5],
    );
    const all = teacherShift([-1, -2, -9], [-3, -1, -1], [1, 1, 1], { ...plain, discount: 1 });
    close(all, [-7, -9, -8]);
    // Infinitely unlikely to the teacher: bounded only by a limit.
    close(teacherShift([-Infinity], [-1], [1], { ...plain, limit: 100 }), [-100]);
  });
});

test("whitened advantages have mean 0 and standard deviation 1 over all tokens", () => {
  const flat = whiten([[1, 3], [5]]).flat();
  close(
    flat,
    [-2, 0, 2].map((x) => x / Math.sqrt(8 / 3)),
  );
  expect(whiten([[2], [2]]).flat()).toEqual([0, 0]);
});

test("rows are chosen by their answers and by those of their problem", () => {
  const outcomes = [true, false, false, false].map((correct, i) => ({
    correct,
    group: i < 2 ? 0 : 1,
  }));
  expect(chosenRows("all", outcomes)).toEqual([true, true, true, true]);
  expect(chosenRows("failing", outcomes)).toEqual([false, true, true, true]);
  expect(chosenRows("succeeding", outcomes)).toEqual([true, false, false, false]);
  expect(chosenRows("failing-groups", outcomes)).toEqual([false, false, true, true]);
});

describe("advantages of tokens", () => {
  const row = (reward: number, group: number, changes: Partial<AdvantageRow> = {}) => ({
    ...{ reward, group, correct: reward > 0, own: [1, 1], tokenLogProbs: [-1, -2] },
    ...changes,
  });
  const make = (rows: readonly AdvantageRow[], options: object, progress = 0) =>
    tokenAdvantages(rows, advantageSchema.parse({ divideByStd: false, ...options }), progress);

  test("add the teacher's to the group's, by a weight that follows a schedule", () => {
    const rows = [
      row(1, 0, { teacherLogProbs: [-2, -1] }),
      row(0, 0, { teacherLogProbs: [-1, -5] }),
    ];
    const teacher = { weight: { from: 2, to: 0 } };
    const at = (progress: number) => make(rows, { teacher }, progress).advantages;
    expect(at(0)).toEqual([
      [0.5 - 2, 0.5 + 2],
      [-0.5, -0.5 - 6],
    ]);
    expect(at(0.5)[0]).toEqual([0.5 - 1, 0.5 + 1]);
    expect(at(1)).toEqual([
      [0.5, 0.5],
      [-0.5, -0.5],
    ]);
    const failing = make(rows, { teacher: { weight: 1, rows: "failing" } }).advantages;
    expect(failing).toEqual([
      [0.5, 0.5],
      [-0.5, -3.5],
    ]);
  });

  test("leave groups without variance out of the count, unless a teacher speaks of them", () => {
    const rows = [row(1, 0), row(1, 0), row(1, 1), row(0, 1)];
    const kept = make(rows, {});
    expect(kept).toMatchObject({ degenerateGroups: 0.5, isLeftOut: [false, false, false, false] });
    const left = make(rows, { degenerateGroups: "leave-out" });
    expect(left.isLeftOut).toEqual([true, true, false, false]);
    const taught = rows.map((r) => ({ ...r, teacherLogProbs: [-3, -3] }));
    const both = make(taught, { degenerateGroups: "leave-out", teacher: { weight: 1 } });
    expect(both.isLeftOut).toEqual([false, false, false, false]);
    expect(both.advantages[0]).toEqual([-2, -1]);
  });

  test("of completions that were injected: lifted, and left out of the baseline or not", () => {
    const rows = [row(0.5, 0, { own: [0, 0] }), row(0, 0), row(0, 0)];
    const counted = make(rows, { injectedAtLeast: 1 }).advantages.map(([first]) => first);
    close(counted as number[], [2 / 3, -1 / 3, -1 / 3]);
    const left = make(rows, { injectedAtLeast: 1, injected: "left-out" }).advantages;
    close(
      left.map(([first]) => first as number),
      [1, 0, 0],
    );
    // A completion of which the student wrote a part is its own.
    const guided = make([row(0.5, 0, { own: [1, 0] }), row(0, 0)], { injectedAtLeast: 1 });
    close(
      guided.advantages.map(([first]) => first as number),
      [0.25, -0.25],
    );
  });

  test("are spread and whitened where that is asked", () => {
    const rows = [row(1, 0), row(0, 0)];
    expect(make(rows, { discount: 0.5 }).advantages).toEqual([
      [0.25, 0.5],
      [-0.25, -0.5],
    ]);
    expect(make(rows, { whiten: true }).advantages.flat()).toEqual([1, 1, -1, -1]);
  });
});
