import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { makeBatch } from "../../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../../src/models/index.js";
import { modelTeacher, type Teacher } from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { scoresOwnText, viewTokens } from "../../../../src/trainers/index.js";

function decoder(seed: number, vocabSize = 7) {
  const sizes = { vocabSize, hiddenSize: 8, numLayers: 1, numHeads: 2, maxPositions: 24 };
  const config = { family: "llama", initializerRange: 0.8, ...sizes };
  return initializeDecoder(modelConfigSchema.parse(config), new Random(seed));
}

type Model = ReturnType<typeof decoder>;
const row = { ids: [1, 4, 2, 6, 0], completionStart: 2 };

/** Probabilities of the whole vocabulary before each learned token, in float64. */
function probabilitiesOf(model: Model): number[][] {
  using batch = makeBatch([row], 0);
  const logits = tf.tidy(() => model.forward(batch).arraySync())[0] as number[][];
  return [1, 2, 3].map((before) => {
    const powers = (logits[before] as number[]).map(Math.exp);
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / sum);
  });
}

const sumOf = (values: readonly number[], of: (value: number, i: number) => number) =>
  values.reduce((sum, value, i) => sum + of(value, i), 0);
const klOf = (p: readonly number[], q: readonly number[]) =>
  sumOf(p, (value, i) => value * Math.log(value / (q[i] as number)));
const entropyOf = (p: readonly number[]) => -sumOf(p, (value) => value * Math.log(value));
const likeliest = (p: readonly number[], K: number) =>
  [...p.entries()].sort(([, a], [, b]) => b - a).slice(0, K);

test("each learned token is seen with both distributions before it", async () => {
  using student = decoder(1);
  using teacher = modelTeacher(decoder(2));
  const other = decoder(2);
  const [S, T] = [probabilitiesOf(student), probabilitiesOf(other)];
  other.dispose();
  const views = await viewTokens(student, teacher, row, { padId: 0, alternatives: 3 });
  expect(views.map(({ position, id }) => [position, id])).toEqual([
    [2, 2],
    [3, 6],
    [4, 0],
  ]);
  for (const [i, view] of views.entries()) {
    const [s, t] = [S[i] as number[], T[i] as number[]];
    const { ofTeacher } = view;
    expect(view.studentLogProb).toBeCloseTo(Math.log(s[view.id] as number), 5);
    expect(view.studentEntropy).toBeCloseTo(entropyOf(s), 5);
    expect(ofTeacher?.entropy).toBeCloseTo(entropyOf(t), 5);
    expect(ofTeacher?.forwardKl).toBeCloseTo(klOf(t, s), 5);
    expect(ofTeacher?.reverseKl).toBeCloseTo(klOf(s, t), 5);
    const advantage = Math.log((t[view.id] as number) / (s[view.id] as number));
    expect(ofTeacher?.advantage).toBeCloseTo(advantage, 5);
    for (const [list, p] of [
      [view.student, s],
      [ofTeacher?.likeliest ?? [], t],
    ] as const) {
      const expected = likeliest(p, 3);
      expect(list.map(({ id }) => id)).toEqual(expected.map(([id]) => id));
      for (const [k, { probability }] of list.entries()) {
        expect(probability).toBeCloseTo(expected[k]?.[1] as number, 5);
      }
    }
  }
});

test("without a teacher the student is seen alone; where nothing is learned, nothing", async () => {
  using student = decoder(1, 3);
  const small = { ids: [1, 2, 0], completionStart: 1 };
  const [first, ...others] = await viewTokens(student, undefined, small, { padId: 0 });
  expect(others).toHaveLength(1);
  expect(first).not.toHaveProperty("ofTeacher");
  // There are no five tokens.
  expect(first?.student).toHaveLength(3);
  const none = { ids: [1, 2], completionStart: 2 };
  expect(await viewTokens(student, undefined, none, { padId: 0 })).toEqual([]);
});

test("a text is cut where the teacher can see no further, and is not seen where it says nothing", async () => {
  using student = decoder(1);
  using whole = modelTeacher(decoder(2));
  const short: Teacher = { ...whole, maxPositions: 4 };
  const views = await viewTokens(student, short, row, { padId: 0 });
  expect(views.map(({ position }) => position)).toEqual([2, 3]);
  const knowing: Teacher = {
    ...whole,
    restrict: (sequence) => ({ ...sequence, completionStart: 3 }),
  };
  const restricted = await viewTokens(student, knowing, row, { padId: 0 });
  expect(restricted.map(({ position }) => position)).toEqual([3, 4]);
});

test("a teacher scores a student's own text if it has all of the same vocabulary's logits", () => {
  using student = decoder(1);
  using teacher = modelTeacher(decoder(2));
  expect(scoresOwnText(student, teacher)).toBe(true);
  expect(scoresOwnText(student, undefined)).toBe(false);
  expect(scoresOwnText(student, { ...teacher, vocabSize: 8 })).toBe(false);
  expect(scoresOwnText(student, { ...teacher, provides: ["teacherTokenIds"] })).toBe(false);
  expect(scoresOwnText(student, { ...teacher, scoresOnly: "given rows" })).toBe(false);
});
