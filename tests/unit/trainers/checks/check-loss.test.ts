import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  crossEntropyLoss,
  defineLoss,
  forwardKlLoss,
  lossTerm,
  policyGradientLoss,
  sampledKlLoss,
  sampledReverseKlLoss,
  sparseKlLoss,
  universalLogitLoss,
} from "../../../../src/losses/index.js";
import type { TeacherSignal } from "../../../../src/teachers/index.js";
import { checkLoss, type LossSupply } from "../../../../src/trainers/index.js";

const always: TeacherSignal[] = ["teacherLogits", "teacherTokenLogProbs"];
const likeliest: TeacherSignal[] = [...always, "teacherTokenIds", "teacherTopLogProbs"];
const draws: TeacherSignal[] = [...likeliest, "teacherSampleLogProbs"];

function supply(provides: readonly TeacherSignal[], changes: Partial<LossSupply> = {}): LossSupply {
  return {
    studentVocabSize: 11,
    teacher: { name: "model", vocabSize: 11, provides },
    onPolicyFraction: 0.5,
    gradientAccumulationSteps: 1,
    ...changes,
  };
}

const noTeacher: LossSupply = {
  studentVocabSize: 11,
  onPolicyFraction: 0,
  gradientAccumulationSteps: 1,
};

const other = {
  summary: "",
  formula: "",
  reference: "",
  config: z.strictObject({}),
  properties: {},
  examples: [{}],
} as const;
const pairLoss = defineLoss({
  ...other,
  name: "pair",
  per: "row",
  needs: ["positiveTokenLogProbs"],
  evaluate: ({ positiveTokenLogProbs }) => positiveTokenLogProbs.sum(1),
});
const batchLoss = defineLoss({
  ...other,
  name: "batch",
  per: "row",
  needs: ["studentLogits"],
  properties: { comparesRows: true },
  evaluate: ({ studentLogits }) => studentLogits.sum([1, 2]),
});

describe("the teacher is asked for", () => {
  test("what the losses read, each once", () => {
    const loss = [
      lossTerm(forwardKlLoss, {}),
      lossTerm(sparseKlLoss, {}),
      lossTerm(crossEntropyLoss, {}),
    ];
    expect(checkLoss(loss, supply(likeliest))).toEqual([
      "teacherLogits",
      "teacherTokenIds",
      "teacherTopLogProbs",
    ]);
  });

  test("its log-probabilities of the tokens, where advantages are made of them", () => {
    expect(checkLoss([lossTerm(policyGradientLoss, {})], supply(always))).toEqual([
      "teacherTokenLogProbs",
    ]);
  });

  test("nothing by a trainer without one", () => {
    expect(checkLoss([lossTerm(crossEntropyLoss, {})], noTeacher)).toEqual([]);
  });
});

describe("a loss that would not get what it reads is refused", () => {
  const refusal = (term: Parameters<typeof checkLoss>[0][number], given: LossSupply): string => {
    try {
      checkLoss([term], given);
    } catch (error) {
      expect((error as Error).name).toBe("PupilError");
      return (error as Error).message;
    }
    return "accepted";
  };

  test("an input that no trainer of this kind has", () => {
    expect(refusal(lossTerm(pairLoss, {}), supply(draws))).toMatch(
      /pair needs positiveTokenLogProbs, which this trainer does not have/,
    );
    expect(refusal(lossTerm(forwardKlLoss, {}), noTeacher)).toMatch(
      /A trainer that can: distill, reinforce\./,
    );
  });

  test("tokens of a teacher that was not told how many", () => {
    expect(refusal(lossTerm(sparseKlLoss, {}), supply(always))).toMatch(
      /sparse-kl needs teacherTokenIds, teacherTopLogProbs, .* Set teacher\.topK/,
    );
  });

  test("draws in place of the likeliest tokens and the reverse", () => {
    expect(refusal(lossTerm(sparseKlLoss, {}), supply(draws))).toMatch(/gives draws.*topK/);
    expect(refusal(lossTerm(sampledKlLoss, {}), supply(likeliest))).toMatch(/likeliest.*samples/);
    expect(refusal(lossTerm(sampledKlLoss, {}), supply(draws))).toBe("accepted");
  });

  test("rows that never come", () => {
    const onPolicy = supply(always, { onPolicyFraction: 1 });
    const offPolicy = supply(always, { onPolicyFraction: 0 });
    expect(refusal(lossTerm(crossEntropyLoss, {}), onPolicy)).toMatch(/reads labels, but/);
    expect(refusal(lossTerm(sampledReverseKlLoss, {}), offPolicy)).toMatch(/the student sampled/);
    expect(refusal(lossTerm(sampledReverseKlLoss, {}), onPolicy)).toBe("accepted");
  });

  test("micro-batches of a loss that compares rows", () => {
    const term = lossTerm(batchLoss, {});
    expect(refusal(term, supply(always))).toBe("accepted");
    expect(refusal(term, supply(always, { gradientAccumulationSteps: 2 }))).toMatch(
      /micro-batches would change.*gradientAccumulationSteps to 1/,
    );
  });

  test("another vocabulary, except for losses that allow it", () => {
    const given = supply(always, { studentVocabSize: 12 });
    expect(refusal(lossTerm(forwardKlLoss, {}), given)).toMatch(
      /vocabulary of 11 .* student of 12/,
    );
    expect(refusal(lossTerm(universalLogitLoss, {}), given)).toBe("accepted");
  });
});

describe("a teacher that knows only given rows", () => {
  const teacher = { name: "rec", vocabSize: 11, provides: likeliest, scoresOnly: "stored rows" };

  test("is refused where the student writes any", () => {
    const loss = [lossTerm(sparseKlLoss, {})];
    expect(() => checkLoss(loss, supply(likeliest, { teacher, onPolicyFraction: 0.1 }))).toThrow(
      /trainer\.onPolicyFraction: is 0\.1, but the teacher "rec" scores only stored rows, not what/,
    );
    expect(checkLoss(loss, supply(likeliest, { teacher, onPolicyFraction: 0 }))).toHaveLength(2);
    // With a replay nobody has given the share that stands for it.
    const replayed = { teacher, onPolicyFraction: 0.5, hasReplay: true };
    expect(() => checkLoss(loss, supply(likeliest, replayed))).toThrow(
      /trainer\.replay: has rows that the student writes, but the teacher "rec" scores only stored rows\. Leave it out/,
    );
  });
});

describe("packed rows", () => {
  const packing = { packing: true };

  test("take every loss that has a value per token", () => {
    const terms = [lossTerm(crossEntropyLoss, {}), lossTerm(forwardKlLoss, {})];
    expect(checkLoss(terms, supply(always, packing))).toEqual(["teacherLogits"]);
    expect(() =>
      checkLoss([lossTerm(policyGradientLoss, {})], supply(always, packing)),
    ).not.toThrow();
  });

  test("refuse a loss that has a value per row, or compares rows", () => {
    const rowLoss = defineLoss({ ...batchLoss, name: "row", properties: {} });
    expect(() => checkLoss([lossTerm(rowLoss, {})], supply(always, packing))).toThrow(
      "loss: The loss row has one value per row, but a packed row is no example. " +
        "Set trainer.packing to false",
    );
    expect(() => checkLoss([lossTerm(batchLoss, {})], supply(always, packing))).toThrow(
      "The loss batch compares the rows of a batch",
    );
    expect(() => checkLoss([lossTerm(rowLoss, {})], supply(always))).not.toThrow();
  });

  test("refuse advantages that reach past the end of a sequence", () => {
    const terms = [lossTerm(policyGradientLoss, {})];
    const discounted = { ...packing, advantageDiscount: 0.9 };
    expect(() => checkLoss(terms, supply(always, discounted))).toThrow(
      "The loss policy-gradient would discount advantages over the end of a sequence",
    );
    expect(() => checkLoss(terms, supply(always, { advantageDiscount: 0.9 }))).not.toThrow();
    expect(() =>
      checkLoss([lossTerm(forwardKlLoss, {})], supply(always, discounted)),
    ).not.toThrow();
  });
});
