import * as tf from "@tensorflow/tfjs-core";
import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { PupilError } from "../../../src/errors/index.js";
import {
  combineLosses,
  crossEntropyLoss,
  defineLoss,
  describeLoss,
  evaluateTerm,
  findLoss,
  forwardKlLoss,
  type LossName,
  type LossTermConfig,
  lossTerm,
  lossTermFromConfig,
  lossTermSchema,
  needsOf,
  reverseKlLoss,
  termLabels,
} from "../../../src/losses/index.js";
import { evaluator, lossValues, randomLossValues } from "../../setup/losses/loss-cases.js";

const values = randomLossValues(4);

function inputs() {
  return tf.tidy(() => ({
    studentLogits: tf.tensor3d(values.studentLogits, values.shape),
    teacherLogits: tf.tensor3d(values.teacherLogits, values.shape),
    labels: tf.tensor2d(values.labels, [values.shape[0], values.shape[1]], "int32"),
  }));
}

test("a combination is the weighted sum of its terms, which it also gives one by one", () => {
  const tensors = inputs();
  const terms = [
    lossTerm(forwardKlLoss, { temperature: 2 }, 0.5),
    lossTerm(crossEntropyLoss, {}, 0.25),
    lossTerm(forwardKlLoss, {}, 2),
  ];
  const before = tf.memory().numTensors;
  const combined = combineLosses(terms, tensors);
  expect(tf.memory().numTensors - before).toBe(1 + terms.length);

  expect(Object.keys(combined.terms)).toEqual(["forward-kl", "cross-entropy", "forward-kl-2"]);
  const [tempered, crossEntropy, plain] = [
    lossValues(evaluator(forwardKlLoss, { temperature: 2 }), values),
    lossValues(evaluator(crossEntropyLoss, {}), values),
    lossValues(evaluator(forwardKlLoss, {}), values),
  ];
  expect([...(combined.terms["forward-kl-2"] as tf.Tensor).dataSync()]).toEqual([...plain]);
  for (const [i, value] of [...combined.values.dataSync()].entries()) {
    const [a, b, c] = [tempered[i], crossEntropy[i], plain[i]] as [number, number, number];
    expect(value).toBeCloseTo(0.5 * a + 0.25 * b + 2 * c, 5);
  }
  tf.dispose([combined.values, combined.terms, tensors] as tf.TensorContainer);
});

test("one term alone is passed on whole", () => {
  const tensors = inputs();
  const { values: perToken, terms } = combineLosses([lossTerm(reverseKlLoss, {})], tensors);
  const expected = lossValues(evaluator(reverseKlLoss, {}), values);
  expect([...perToken.dataSync()]).toEqual([...expected]);
  expect([...(terms["reverse-kl"] as tf.Tensor).dataSync()]).toEqual([...expected]);
  tf.dispose([perToken, terms, tensors] as tf.TensorContainer);
});

test("needs are the union over the terms, each once", () => {
  const crossEntropy = lossTerm(crossEntropyLoss, {});
  const divergences = [lossTerm(forwardKlLoss, {}), lossTerm(reverseKlLoss, {})];
  expect(needsOf([crossEntropy])).toEqual(["studentLogits", "labels"]);
  expect(needsOf(divergences)).toEqual(["studentLogits", "teacherLogits"]);
  expect(needsOf([...divergences, crossEntropy]).sort()).toEqual([
    "labels",
    "studentLogits",
    "teacherLogits",
  ]);
  expect(termLabels([...divergences, ...divergences])).toEqual([
    "forward-kl",
    "reverse-kl",
    "forward-kl-2",
    "reverse-kl-2",
  ]);
});

test("missing inputs are named", () => {
  const { studentLogits, ...others } = inputs();
  expect(() => evaluateTerm(lossTerm(forwardKlLoss, {}), { studentLogits })).toThrow(
    new PupilError("needs teacherLogits.", { field: "forward-kl" }),
  );
  expect(() => combineLosses([], { studentLogits })).toThrow(PupilError);
  tf.dispose([studentLogits, others]);
});

test("a definition of one's own needs no list", () => {
  const entropy = defineLoss({
    name: "entropy",
    summary: "Entropy of the student.",
    formula: "−Σ_v S_v log S_v",
    reference: "Shannon 1948",
    per: "token",
    needs: ["studentLogits"],
    config: z.strictObject({ scale: z.number().default(3).describe("Factor.") }),
    properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: false, shiftInvariant: true },
    examples: [{}, { scale: 1 }],
    evaluate: ({ studentLogits }, { scale }) =>
      tf.tidy(() => {
        const logProbs = tf.logSoftmax(studentLogits);
        return logProbs.exp().mul(logProbs).sum(-1).mul(-scale);
      }),
  });
  const studentLogits = tf.zeros<tf.Rank.R3>([1, 1, 4]);
  const value = evaluateTerm(lossTerm(entropy, {}), { studentLogits });
  expect(value.dataSync()[0]).toBeCloseTo(3 * Math.log(4), 5);
  tf.dispose([studentLogits, value]);
});

test("reading an input that is not declared is a compile error", () => {
  const parts = {
    name: "one",
    summary: "",
    formula: "",
    reference: "",
    per: "token",
    config: z.strictObject({}),
    properties: {},
    examples: [{}],
  } as const;
  const declared = defineLoss({
    ...parts,
    needs: ["tokenLogProbs"],
    optional: ["advantages"],
    evaluate: ({ tokenLogProbs, advantages }) => {
      expectTypeOf(advantages).toEqualTypeOf<tf.Tensor2D | undefined>();
      return tokenLogProbs.clone();
    },
  });
  const undeclared = defineLoss({
    ...parts,
    needs: ["tokenLogProbs"],
    // @ts-expect-error teacherLogits is not in needs
    evaluate: ({ teacherLogits }) => teacherLogits,
  });
  const wrongShape = defineLoss({
    ...parts,
    needs: ["tokenLogProbs"],
    // @ts-expect-error one value per row, but per is "token"
    evaluate: ({ tokenLogProbs }) => tokenLogProbs.sum<tf.Tensor1D>(-1),
  });
  expect([declared.name, undeclared.per, wrongShape.per]).toEqual(["one", "token", "token"]);
});

test("options that do not fit are refused with the field", () => {
  expect(() => lossTerm(forwardKlLoss, { temperature: 0 })).toThrow(/forward-kl.*temperature/s);
  const typo = { temprature: 2 } as object;
  expect(() => lossTerm(forwardKlLoss, typo)).toThrow(/temprature/);
});

test("a config becomes a term", () => {
  const config = lossTermSchema.parse({ type: "generalized-jsd", weight: 0.5, beta: 0.9 });
  const term = lossTermFromConfig(config);
  expect(term.definition.name).toBe("generalized-jsd");
  expect(term.weight).toBe(0.5);
  expect(term.config).toEqual({
    beta: 0.9,
    normalized: false,
    temperature: 1,
    temperatureSquared: false,
  });
});

test("wrong configs say what is allowed", () => {
  const message = (config: object) =>
    z.prettifyError(lossTermSchema.safeParse(config).error as z.ZodError);
  expect(message({ type: "forward-kl", beta: 0.5 })).toContain("beta");
  expect(message({ type: "generalized-jsd", beta: 1.5 })).toContain("beta");
  expect(message({ type: "forward-kl", weight: -1 })).toContain("weight");
  expect(message({ type: "foward-kl" })).toContain("type");
  expect(() => findLoss("foward-kl")).toThrow(/no loss "foward-kl".*Did you mean "forward-kl"/);
});

test("the types of a config follow its loss", () => {
  expectTypeOf<LossTermConfig["type"]>().toEqualTypeOf<LossName>();
  expectTypeOf<"forward-kl" | "taid">().toExtend<LossName>();
  type Jsd = Extract<LossTermConfig, { type: "generalized-jsd" }>;
  expectTypeOf<Jsd["beta"]>().toEqualTypeOf<number>();
  type Input = z.input<typeof lossTermSchema>;
  const right: Input = { type: "cross-entropy", labelSmoothing: 0.1 };
  // @ts-expect-error an option of another loss
  const wrong: Input = { type: "forward-kl", labelSmoothing: 0.1 };
  expect([right.type, wrong.type]).toEqual(["cross-entropy", "forward-kl"]);
});

test("a description holds what a table of losses needs", () => {
  const { needs, fields } = describeLoss(findLoss("generalized-jsd"));
  expect(needs).toEqual(["studentLogits", "teacherLogits"]);
  expect(fields.map(({ name, type, default: value }) => [name, type, value])).toEqual([
    ["beta", "number", 0.5],
    ["normalized", "boolean", false],
    ["temperature", "number", 1],
    ["temperatureSquared", "boolean", false],
  ]);
});
