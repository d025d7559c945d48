/** The checks find what they are for: each loss here has one thing wrong with it. */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  defineLoss,
  describesItself,
  type LossDefinition,
  type LossInputs,
  problemsOf,
  selfCheck,
  signIsUnknown,
  stopGradient,
} from "../../../../src/losses/index.js";
import { logRatio } from "../../../../src/losses/masked.js";

type Inputs = Pick<LossInputs, "studentLogits" | "teacherLogits">;

/** Mean squared difference of the logits, with parts of it replaced. */
function squaredDifference(changes: Partial<LossDefinition> = {}): LossDefinition {
  const definition: LossDefinition = defineLoss({
    name: "squared-difference",
    summary: "Mean squared difference of the logits.",
    formula: "mean_v (s_v − t_v)²",
    reference: "https://example.org",
    per: "token",
    needs: ["studentLogits", "teacherLogits"],
    config: z.strictObject({ scale: z.number().default(1).describe("Factor.") }),
    properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: true },
    examples: [{}, { scale: 3 }],
    evaluate: (inputs, { scale }) => tf.tidy(() => difference(inputs).mean(-1).mul(scale)),
  });
  return { ...definition, ...changes };
}

function difference({ studentLogits, teacherLogits }: Inputs): tf.Tensor3D {
  return logRatio(studentLogits, stopGradient(teacherLogits)).square();
}

const evaluate = (f: (inputs: Inputs) => tf.Tensor): Partial<LossDefinition> => ({
  evaluate: (inputs: Inputs) => tf.tidy(() => f(inputs) as tf.Tensor2D),
});

async function failedChecks(definition: LossDefinition): Promise<string[]> {
  const outcomes = await selfCheck(definition, {});
  return outcomes.filter(({ problems }) => problems.length > 0).map(({ check }) => check);
}

test("a right loss passes every check, and its gradient error is measured", async () => {
  const outcomes = await selfCheck(squaredDifference(), { scale: 3 });
  expect(outcomes.flatMap(({ problems }) => problems)).toEqual([]);
  const gradient = outcomes.find(({ check }) => check.includes("central differences"));
  expect(gradient?.error).toBeGreaterThan(0);
  expect(gradient?.error).toBeLessThan(2e-3);
  expect(describesItself(squaredDifference())).toEqual([]);
});

const shifted = (x: tf.Tensor) => x.concat(tf.zeros([...x.shape.slice(0, -1), 1]), -1);

const wrongOnes: [what: string, check: string, changes: Partial<LossDefinition>][] = [
  [
    "a gradient that is not that of the value",
    "has the gradient of its values, by central differences",
    evaluate((inputs) => {
      const wrongGradient = tf.customGrad((x) => ({
        value: (x as tf.Tensor).square(),
        gradFunc: (dy: tf.Tensor) => dy.mul(1.9).mul(0.5),
      }));
      return wrongGradient(inputs.studentLogits.sub(stopGradient(inputs.teacherLogits))).mean(-1);
    }),
  ],
  [
    "−Infinity minus −Infinity",
    "is never NaN, at most infinite, where tokens are ruled out with −Infinity",
    evaluate(({ studentLogits, teacherLogits }) =>
      studentLogits.sub(stopGradient(teacherLogits)).square().mean(-1),
    ),
  ],
  [
    "a sign",
    "has a step along −gradient that brings the student nearer to the teacher",
    {
      ...evaluate((inputs) => difference(inputs).mean(-1).neg()),
      properties: { zeroWhenStudentEqualsTeacher: true },
    },
  ],
  [
    "a property that it does not have",
    "is never negative",
    evaluate((inputs) => difference(inputs).mean(-1).sub(0.5)),
  ],
  [
    "a value at the teacher",
    "has value 0 and gradient 0 where the student equals the teacher",
    evaluate((inputs) => difference(inputs).mean(-1).add(1)),
  ],
  [
    "tensors that are left behind",
    "gives finite float32 values of its shape and allocates exactly that tensor",
    { evaluate: (inputs: Inputs) => difference(inputs).mean<tf.Tensor2D>(-1) },
  ],
  [
    "a teacher that is trained",
    "passes no gradient into the teacher's inputs",
    evaluate(({ studentLogits, teacherLogits }) =>
      studentLogits.sub(teacherLogits).square().mean(-1),
    ),
  ],
  [
    "an input that is not declared",
    "reads the inputs that it declares and no others",
    { needs: ["studentLogits", "teacherLogits", "labels"] },
  ],
  [
    "rows that see each other",
    "gives a row the same value whatever the other rows are",
    evaluate((inputs) => {
      const values = difference(inputs).mean(-1);
      return values.add(values.mean(0, true));
    }),
  ],
  [
    "positions that see each other",
    "lets a masked position contribute exactly nothing",
    evaluate((inputs) => {
      const values = difference(inputs).mean(-1);
      return values.add(values.mean(1, true));
    }),
  ],
  [
    "tokens that have a place",
    "does not change when the tokens of the vocabulary are renamed",
    evaluate((inputs) =>
      difference(inputs)
        .mul(tf.tensor1d([1, 1, 1, 1, 2]))
        .mean(-1),
    ),
  ],
  [
    "an exponential that overflows",
    "has finite values and gradients for extreme inputs",
    evaluate((inputs) => difference(inputs).mean(-1).exp()),
  ],
  [
    "the wrong shape",
    "gives finite float32 values of its shape and allocates exactly that tensor",
    evaluate((inputs) => shifted(difference(inputs).mean(-1))),
  ],
];

describe("each of the checks finds what it is for", () => {
  test.each(wrongOnes)("%s", async (_what, check, changes) => {
    expect(await failedChecks(squaredDifference(changes))).toContain(check);
  });

  test("a loss that throws has failed, with its message", async () => {
    const broken = squaredDifference(
      evaluate(() => {
        throw new Error("no such thing");
      }),
    );
    const outcomes = await selfCheck(broken, {});
    expect(outcomes.every(({ problems }) => problems.length > 0)).toBe(true);
    expect(outcomes[0]?.problems).toEqual(["it throws: no such thing"]);
  });

  test("a list loss that ignores its mask", async () => {
    const ignoring = defineLoss({
      ...texts,
      per: "row",
      needs: ["studentScores", "teacherScores", "listMask"],
      config: z.strictObject({}),
      properties: {},
      examples: [{}],
      evaluate: ({ studentScores, teacherScores, listMask }) =>
        tf.tidy(() =>
          studentScores
            .sub(stopGradient(teacherScores))
            .square()
            .mean<tf.Tensor1D>(-1)
            .add(listMask.sum().mul(0)),
        ),
    });
    const failed = await failedChecks(ignoring as LossDefinition);
    expect(failed).toContain("lets what its own masks leave out contribute exactly nothing");
    expect(failed).toContain("does not change when padding is appended");
  });
});

const texts = { name: "x", summary: "x", formula: "x", reference: "x" };

test("what a definition does not say about itself", () => {
  const silent = squaredDifference({
    summary: " ",
    config: z.strictObject({ temperature: z.number() }),
    examples: [{}],
  });
  expect(problemsOf(describesItself(silent))).toEqual([
    "its summary is empty",
    "option temperature has no default",
    "option temperature is not described",
    "it has options and only one example: a wrong one would not be seen",
  ]);
  const plain = squaredDifference({
    config: z.strictObject({ temperature: z.number().default(1).describe("Divides both.") }),
    examples: [{}, { temperature: 1 }],
  });
  expect(problemsOf(describesItself(plain))[0]).toMatch(/temperature other than 1/);
  expect(problemsOf(describesItself(squaredDifference({ examples: [] })))).toEqual([
    "it has no examples to be checked at",
  ]);
});

test("a loss whose negative would pass as well is told of", () => {
  expect(signIsUnknown(squaredDifference())).toBeUndefined();
  const silent = squaredDifference({ properties: { shiftInvariant: true } });
  expect(signIsUnknown(silent)).toMatch(/could show a wrong sign.*golden cases/);
});
