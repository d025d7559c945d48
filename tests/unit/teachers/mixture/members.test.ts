/** What several teachers share, and what belongs to one of them. */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import {
  type Batch,
  makeBatch,
  type TokenSequence,
  withSequences,
} from "../../../../src/data/index.js";
import type { Rollout } from "../../../../src/rollouts/index.js";
import { ownDistribution } from "../../../../src/rollouts/index.js";
import {
  matchesRule,
  mixtureTeacher,
  routedTeacher,
  routeRuleSchema,
  type Teacher,
} from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";

/** Says one number at every position of whatever it is asked about, and remembers what that was. */
function constant(name: string, value: number, changes: Partial<Teacher> = {}) {
  const asked: { batch: Batch; firstRow: number | undefined }[] = [];
  const counts = { disposed: 0, scores: 0 };
  const dispose = () => {
    counts.disposed += 1;
  };
  const teacher: Teacher = {
    ...{ name, vocabSize: 3, provides: ["teacherLogits", "teacherTokenLogProbs"] },
    score: (batch, _needs, context) => {
      asked.push({ batch, firstRow: context?.firstRow });
      const { size, sequenceLength } = batch;
      return Promise.resolve({
        tensors: () => ({
          teacherTokenLogProbs: tf.fill([size, sequenceLength], value) as tf.Tensor2D,
          teacherLogits: tf.fill([size, sequenceLength, 3], value) as tf.Tensor3D,
        }),
        dispose: () => {
          counts.scores += 1;
        },
      });
    },
    dispose,
    [Symbol.dispose]: dispose,
    ...changes,
  };
  return { teacher, asked, counts };
}

const promptText = (ids: readonly number[]) => ids.map((id) => "abc"[id]).join("");
const row = (ids: number[], id?: string): TokenSequence => ({
  ...{ ids, completionStart: 1 },
  ...(id === undefined ? {} : { id }),
});

describe("a rule", () => {
  test("is a regular expression of the prompt or the name, or both", () => {
    const takes = (rule: object) => routeRuleSchema.safeParse(rule).success;
    expect(takes({ prompt: "^a" })).toBe(true);
    expect(takes({ id: "b$" })).toBe(true);
    expect(takes({})).toBe(false);
    expect(takes({ prompt: "(" })).toBe(false);
    expect(takes({ id: "\\p{Nonsense}" })).toBe(false);
    expect(takes({ prompt: "a", other: "b" })).toBe(false);
  });

  test("matches where all of it does, by characters and not by halves of them", () => {
    expect(matchesRule(undefined, { prompt: "" })).toBe(true);
    expect(matchesRule({ prompt: "^.$" }, { prompt: "😀" })).toBe(true);
    expect(matchesRule({ prompt: "a", id: "x" }, { prompt: "a" })).toBe(false);
    expect(matchesRule({ prompt: "a", id: "x" }, { prompt: "b", id: "x" })).toBe(false);
    expect(matchesRule({ prompt: "a", id: "x" }, { prompt: "a", id: "x" })).toBe(true);
  });
});

describe("routed", () => {
  const both = (a: Teacher, b: Teacher) =>
    routedTeacher([{ teacher: a, when: { prompt: "^a" } }, { teacher: b }], promptText);

  test("teachers of one name are told apart; scores are released with those of each", async () => {
    const [one, two] = [constant("same", 1), constant("same", 2)];
    const teacher = both(one.teacher, two.teacher);
    expect(teacher).toMatchObject({ name: "mixture", vocabSize: 3 });
    using batch = makeBatch([row([0, 1]), row([1, 2]), row([0, 2, 2])], 0);
    const scores = await teacher.score(batch, ["teacherTokenLogProbs"]);
    expect(scores.routes).toEqual(["same", "same (2)", "same"]);
    expect(scores.routedRows).toEqual({ same: 2, "same (2)": 1 });
    expect(one.asked.map(({ batch: part }) => part.sequences.map(({ ids }) => ids))).toEqual([
      [
        [0, 1],
        [0, 2, 2],
      ],
    ]);
    scores.dispose?.();
    expect([one.counts.scores, two.counts.scores]).toEqual([1, 1]);
    teacher.dispose();
    expect([one.counts.disposed, two.counts.disposed]).toEqual([1, 1]);
  });

  test("one says exactly what is of its sequences, also where they share a row", async () => {
    const teacher = both(constant("a", 1).teacher, constant("b", 2).teacher);
    using batch = makeBatch([{ ids: [2, 2, 2, 2, 2, 2, 2, 2], completionStart: 1 }], 0);
    const placed = [
      { ...row([0, 1, 1]), row: 0, start: 0 },
      { ...row([1, 1]), row: 0, start: 3 },
      { ...row([0, 2]), row: 0, start: 5 },
    ];
    const scores = await teacher.score(withSequences(batch, placed), ["teacherTokenLogProbs"]);
    const [own] = tf.tidy(() => scores.tensors().teacherTokenLogProbs?.arraySync()) as number[][];
    expect([own?.slice(0, 2), own?.[3], own?.[5]]).toEqual([[1, 1], 2, 1]);
    const bare = both(constant("a", 1).teacher, constant("b", 2).teacher);
    const missing = await bare.score(withSequences(batch, placed), ["teacherTokenIds"]);
    expect(() => tf.tidy(() => void missing.tensors())).toThrow("did not give teacherTokenIds");
  });

  test("draws go by the place in the step, whoever is asked", async () => {
    const provides = ["teacherTokenLogProbs", "teacherSampleLogProbs"] as const;
    const [one, two] = [constant("a", 1, { provides }), constant("b", 2, { provides })];
    const teacher = both(one.teacher, two.teacher);
    using batch = makeBatch([row([0, 1]), row([0, 1]), row([1, 2]), row([0, 2])], 0);
    const context = { random: new Random(1), firstRow: 10 };
    await teacher.score(batch, ["teacherTokenLogProbs"], context);
    expect(one.asked.map(({ firstRow }) => firstRow)).toEqual([10, 13]);
    expect(two.asked.map(({ firstRow }) => firstRow)).toEqual([12]);
    await teacher.score(batch, ["teacherTokenLogProbs"]);
    expect(one.asked.at(-1)?.firstRow).toBeUndefined();
  });

  test("a temperature, a context and a limit are what they share", () => {
    const of = (a: Partial<Teacher>, b: Partial<Teacher>) =>
      both(constant("a", 1, a).teacher, constant("b", 2, b).teacher);
    expect(of({ sampleTemperature: 2 }, { sampleTemperature: 2 }).sampleTemperature).toBe(2);
    expect(of({ sampleTemperature: 2 }, { sampleTemperature: 3 })).not.toHaveProperty(
      "sampleTemperature",
    );
    expect(of({}, { sampleTemperature: 3 })).not.toHaveProperty("sampleTemperature");
    expect(of({ maxPositions: 9 }, { maxPositions: 7 }).maxPositions).toBe(7);
    expect(of({}, {})).not.toHaveProperty("scoresOnly");
    expect(of({}, { scoresOnly: "these" }).scoresOnly).toBe("these");
    expect(of({}, {})).not.toHaveProperty("restrict");
    expect(of({}, {})).not.toHaveProperty("complete");
    const complete = () => Promise.resolve([]);
    expect(of({ complete }, {})).not.toHaveProperty("complete");
    expect(of({ complete }, { complete })).toHaveProperty("complete");
    expect(() => of({}, { vocabSize: 4 })).toThrow(/"a" has a vocabulary of 3 tokens, "b" of 4/);
  });

  test("a row is restricted by the teacher that it goes to", () => {
    const restrict = (sequence: TokenSequence) => ({ ...sequence, learned: [0, 0] });
    const teacher = both(constant("a", 1, { restrict }).teacher, constant("b", 2).teacher);
    expect(teacher.restrict?.(row([0, 1])).learned).toEqual([0, 0]);
    expect(teacher.restrict?.(row([1, 1]))).toEqual(row([1, 1]));
    const nobody = routedTeacher(
      [{ teacher: constant("a", 1, { restrict }).teacher, when: { prompt: "^a" } }],
      promptText,
    );
    expect(nobody.restrict?.(row([1, 1]))).toEqual(row([1, 1]));
    expect(nobody.knows?.(row([1, 1]))).toBe(false);
  });

  test("completions keep their order and their numbers in the step", async () => {
    const seen: unknown[] = [];
    const writer = (name: string) => {
      const complete: Teacher["complete"] = (prompts, options) => {
        seen.push([name, prompts, options.sequenceIds, options.maxNewTokens]);
        return Promise.resolve(
          prompts.map((promptIds, i): Rollout => {
            return { promptIds, completionIds: [i], tokenLogProbs: [0], finished: true };
          }),
        );
      };
      return constant(name, 1, { complete }).teacher;
    };
    const how = { endIds: [], padId: 0, maxNewTokens: 4, policy: ownDistribution };
    const teacher = both(writer("a"), writer("b"));
    const prompts = [[1], [0], [2], [0, 1]];
    const random = new Random(1);
    const rollouts = await teacher.complete?.(prompts, { ...how, random });
    expect(rollouts?.map(({ promptIds }) => promptIds)).toEqual(prompts);
    expect(rollouts?.map(({ completionIds }) => completionIds)).toEqual([[0], [0], [1], [1]]);
    await teacher.complete?.(prompts, { ...how, random, sequenceIds: [7, 8, 9, 10] });
    expect(seen).toEqual([
      ["b", [[1], [2]], [0, 2], 4],
      ["a", [[0], [0, 1]], [1, 3], 4],
      ["b", [[1], [2]], [7, 9], 4],
      ["a", [[0], [0, 1]], [8, 10], 4],
    ]);
    const onlyA = routedTeacher([{ teacher: writer("a"), when: { prompt: "^a" } }], promptText);
    await expect(onlyA.complete?.([[0], [1, 2]], { ...how, random })).rejects.toThrow(
      'teacher.teachers: No teacher\'s `when` matches the row without a name with the prompt "bc".',
    );
  });
});

describe("mixed", () => {
  const of = (a: Partial<Teacher>, b: Partial<Teacher>, options = {}) =>
    mixtureTeacher(
      [
        { teacher: constant("a", 1, a).teacher, weight: 1 },
        { teacher: constant("b", 2, b).teacher, weight: 1 },
      ],
      options,
    );

  test("says its name, its draws, and the least context", () => {
    const mixture = of({ maxPositions: 9 }, {}, { samples: 2, sampleTemperature: 1.5 });
    expect(mixture).toMatchObject({ name: "mixture", vocabSize: 3, maxPositions: 9 });
    expect(mixture.sampleTemperature).toBe(1.5);
    expect(mixture.provides).toContain("teacherSampleLogProbs");
    expect(mixture).not.toHaveProperty("restrict");
    expect(() => of({}, {}, { topK: 4 })).toThrow(/topK: is 4, more than/);
  });

  test("a row is restricted by all of them, one after the other", () => {
    const without = (place: number) => (sequence: TokenSequence) => ({
      ...sequence,
      learned: (sequence.learned ?? [0, 1, 1]).map((x, i) => (i === place ? 0 : x)),
    });
    const mixture = of({ restrict: without(1) }, { restrict: without(2) });
    expect(mixture.restrict?.(row([0, 1, 2])).learned).toEqual([0, 0, 0]);
    expect(of({}, { restrict: without(2) }).restrict?.(row([0, 1, 2])).learned).toEqual([0, 1, 0]);
  });

  test("draws with the context of the step; releases what each gave", async () => {
    const [one, two] = [constant("a", 1), constant("b", 2)];
    const members = [one, two].map(({ teacher }) => ({ teacher, weight: 1 }));
    const mixture = mixtureTeacher(members, { samples: 4 }, "mine");
    expect(mixture.name).toBe("mine");
    using batch = makeBatch([row([0, 1])], 0);
    const context = { random: new Random(1), firstRow: 3 };
    const scores = await mixture.score(batch, ["teacherTokenIds"], context);
    expect(one.asked[0]?.firstRow).toBe(3);
    expect(tf.tidy(() => scores.tensors().teacherTokenIds?.shape)).toEqual([1, 1, 4]);
    scores.dispose?.();
    expect([one.counts.scores, two.counts.scores]).toEqual([1, 1]);
    mixture.dispose();
    expect([one.counts.disposed, two.counts.disposed]).toEqual([1, 1]);
  });
});
