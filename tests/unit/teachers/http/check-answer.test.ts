import { describe, expect, test } from "vitest";
import {
  checkAgreement,
  type ListedToken,
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
    return (error as WrongAnswer).describe(plain);
  }
  return "accepted";
}

describe("a token and the likeliest ones at its position", () => {
  const agreement = (listed: ListedToken[], id: number, logProb: number) =>
    refusal(() => checkAgreement(listed, id, logProb, "position 3"));
  const likeliest = list(Math.log(0.5), Math.log(0.3));

  test("a listed token has the same number twice, as far as numbers are printed", () => {
    expect(agreement(likeliest, 1, Math.log(0.3))).toBe("accepted");
    expect(agreement(likeliest, 1, Math.log(0.3) + 5e-4)).toBe("accepted");
    expect(agreement(likeliest, 1, Math.log(0.3) - 5e-3)).toMatch(
      /position 3: expected the log-probability .* of token 1 also in the list/,
    );
  });

  test("one that is not listed is no likelier than the least that is", () => {
    expect(agreement(likeliest, 7, Math.log(0.1))).toBe("accepted");
    expect(agreement(likeliest.slice(1), 7, Math.log(0.31))).toMatch(
      /expected token 7 .* among the likeliest, got a list without it that goes down to -1\.2/,
    );
  });

  test("together they have no more than all mass", () => {
    expect(agreement(likeliest, 7, Math.log(0.2))).toBe("accepted");
    expect(agreement(list(Math.log(0.4), Math.log(0.35)), 7, Math.log(0.3))).toMatch(
      /expected probabilities that add up to at most 1, got 1\.0/,
    );
    expect(agreement(list(Math.log(0.7), Math.log(0.4)), 0, Math.log(0.7))).toMatch(/got 1\.1/);
  });
});

describe("a list of one more than was asked for", () => {
  const without = (listed: ListedToken[], id: number) =>
    withoutExtraToken(listed, id, 2, "position 1").map((entry) => entry.id);

  test("holds the token that stands there, which is none of the likeliest", () => {
    expect(without(list(-1, -2, -3), 2)).toEqual([0, 1]);
    expect(without(list(-1, -2, -2), 2)).toEqual([0, 1]);
    expect(without(list(-1, -2), 1)).toEqual([0, 1]);
  });

  test("or is wrong", () => {
    for (const id of [0, 9]) {
      expect(refusal(() => without(list(-1, -2, -3), id))).toMatch(
        /expected the 2 likeliest tokens, got 3/,
      );
    }
  });
});
