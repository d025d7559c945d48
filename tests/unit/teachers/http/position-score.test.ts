import { describe, expect, test } from "vitest";
import {
  asLogProb,
  asObject,
  checkAgreement,
  checkCount,
  type ListedToken,
  positionScore,
  withoutExtraToken,
  WrongAnswer,
} from "../../../../src/teachers/http/check-answer.js";

const plain = (text: string) => text;
const list = (...logProbs: number[]): ListedToken[] =>
  logProbs.map((logProb, id) => ({ id, logProb }));

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(WrongAnswer);
    const wrong = error as WrongAnswer;
    return `${wrong.describe(plain)} ${wrong.remedy ?? "-"}`;
  }
  return "accepted";
}

describe("a position", () => {
  test("has its K tokens, likeliest first, of equal ones the lower id", () => {
    const listed = [
      { id: 5, logProb: -2 },
      { id: 9, logProb: -1, text: "x" },
      { id: 3, logProb: -2 },
    ];
    expect(positionScore(listed, 9, -1, 3, "p")).toEqual({
      ...{ tokenLogProb: -1, tokenIds: [9, 3, 5], logProbs: [-1, -2, -2] },
      texts: ["x", undefined, undefined],
    });
    expect(positionScore(list(-1, -2), 0, -1, 2, "p")).not.toHaveProperty("texts");
    expect(listed[0]?.id).toBe(5);
  });

  test("has them all, once, and not more", () => {
    expect(refusal(() => positionScore(list(-1, -2), 0, -1, 3, "p"))).toMatch(
      /^p: expected the 3 likeliest tokens, got 2\. Lower teacher\.topK/,
    );
    expect(refusal(() => positionScore(list(-1, -2), 0, -1, 1, "p"))).toBe(
      "p: expected the 1 likeliest tokens, got 2. -",
    );
    const twice = [...list(-1, -2), { id: 1, logProb: -3 }];
    expect(refusal(() => positionScore(twice, 0, -1, 3, "p"))).toMatch(
      /expected each token once, got token 1 twice/,
    );
  });

  test("has no more than all mass, by a thousandth for rounding", () => {
    const halves = (sum: number) => list(Math.log(sum / 2), Math.log(sum / 2));
    expect(refusal(() => positionScore(halves(1.0009), 0, Math.log(0.5), 2, "p"))).toBe("accepted");
    expect(refusal(() => positionScore(halves(1.0011), 0, Math.log(0.50055), 2, "p"))).toBe(
      `p: expected probabilities that add up to at most 1, got ${2 * Math.exp(Math.log(1.0011 / 2))}. -`,
    );
  });
});

describe("agreement goes by the precision of what is printed", () => {
  const agreed = (logProb: number, own: number) =>
    refusal(() => checkAgreement([{ id: 0, logProb }], 0, own, "p")) === "accepted";

  test("a thousandth, of larger numbers a thousandth of them", () => {
    expect([agreed(-0.5, -0.5009), agreed(-0.5, -0.5011)]).toEqual([true, false]);
    expect([agreed(-20, -20.019), agreed(-20, -20.021)]).toEqual([true, false]);
    expect([agreed(-20, -19.981), agreed(-20, -19.979)]).toEqual([true, false]);
  });

  test("also for a token that is not listed", () => {
    const unlisted = (least: number, own: number) =>
      refusal(() => checkAgreement([{ id: 1, logProb: least }], 0, own, "p"));
    expect(unlisted(-20, -19.981)).toBe("accepted");
    expect(unlisted(-20, -19.979)).toMatch(/a list without it that goes down to -20/);
  });
});

test("a log-probability is a finite number up to 0, and no less than float32 knows", () => {
  expect(asLogProb(-3, "p")).toBe(-3);
  expect(asLogProb(0.0001, "p")).toBe(0);
  expect(refusal(() => asLogProb(0.0002, "p"))).toBe(
    "p: expected a log-probability up to 0, got 0.0002. -",
  );
  expect(asLogProb(-9999, "p")).toBe(-100);
  expect(asLogProb(-100.5, "p")).toBe(-100);
  for (const wrong of [null, "1", Number.NaN, Number.NEGATIVE_INFINITY, undefined]) {
    expect(refusal(() => asLogProb(wrong, "p"))).toMatch(
      /expected a log-probability, got .*NaN and/,
    );
  }
});

test("the token itself may be one too many, as likely as the least by rounding", () => {
  const extra = (logProb: number) =>
    refusal(() => withoutExtraToken([...list(-1, -2), { id: 7, logProb }], 7, 2, "p"));
  expect(extra(-2 + 9e-5)).toBe("accepted");
  expect(extra(-2 + 2e-4)).toMatch(/expected the 2 likeliest tokens, got 3/);
  const two = list(-1, -2);
  expect(withoutExtraToken(two, 1, 3, "p")).toBe(two);
});

test("a count that is not told is none", () => {
  for (const right of [undefined, null, 4]) checkCount(right, 4, "n");
  expect(refusal(() => checkCount(3, 4, "n", "Help."))).toBe("n: expected 4 tokens, got 3. Help.");
});

test("what was got is cut at 160 characters, after what is hidden", () => {
  const long = "x".repeat(200);
  const wrong = (got: unknown) =>
    refusal(() => {
      throw new WrongAnswer("p", "y", got);
    });
  expect(wrong("x".repeat(160))).toBe(`p: expected y, got ${"x".repeat(160)}. -`);
  expect(wrong(long)).toBe(`p: expected y, got ${"x".repeat(157)}.... -`);
  expect(wrong(undefined)).toBe("p: expected y, got nothing. -");
  const secret = `${"x".repeat(150)}secret-key-of-mine`;
  const error = new WrongAnswer("p", "y", secret);
  expect(error.describe((text) => text.replace("secret-key-of-mine", "[key]"))).toContain("[key]");
  expect(error.message).not.toContain("x");
  expect(error.name).toBe("WrongAnswer");
});

test("an object is neither a list nor null", () => {
  expect(asObject({ a: 1 }, "p")).toEqual({ a: 1 });
  for (const wrong of [null, [], 1, "x"]) {
    expect(refusal(() => asObject(wrong, "p"))).toMatch(/p: expected an object/);
  }
});
