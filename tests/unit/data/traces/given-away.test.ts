import { expect, test } from "vitest";
import { beforeAnswer, givesAway } from "../../../../src/data/index.js";

test.each([
  ["so 122.", "122", true],
  ["122", "122", true],
  ["=122,3", " 122 ", true],
  ["1220", "122", false],
  ["x122", "122", false],
  ["1.122", "122", false],
  ["122.5", "122", false],
  ["3+4", "3+4", true],
  ["33+4", "3+4", false],
  ["a true one", "true", true],
  ["untrue", "true", false],
  ["größe", "gr", false],
  ["anything", "", false],
])("whether %j gives %j away: %s", (text, answer, expected) => {
  expect(givesAway(text, answer)).toBe(expected);
});

test("what is before the answer is all of a text that does not end with it", () => {
  expect(beforeAnswer("7+5=12:12\n", "12", ":")).toBe("7+5=12");
  expect(beforeAnswer("7+5=12", "12", ":")).toBe("7+5=12");
  expect(beforeAnswer("12", "12")).toBe("");
  expect(beforeAnswer("12:5", "12")).toBe("12:5");
  expect(beforeAnswer("12", "")).toBe("12");
});
