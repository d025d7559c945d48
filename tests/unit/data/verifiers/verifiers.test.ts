import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../../src/config/index.js";
import { type VerifierConfig, verifierOf, verifierSchema } from "../../../../src/data/index.js";

import { missing, sharedData } from "../../../setup/data/shared-data.js";

type Options = Record<string, unknown> & { type: VerifierConfig["type"] };

function judge(options: Options, answer: string, completion: string) {
  const config = parseConfig(verifierSchema, options, "verifier");
  return verifierOf(config)({ prompt: "", answer, completion });
}

type Row = [options: Options, answer: string, completion: string, correct: boolean];

describe("exact", () => {
  const type = "exact";
  const rows: Row[] = [
    [{ type }, "Paris", " Paris\n", true],
    [{ type }, "Paris", "paris", false],
    [{ type, ignoreCase: true }, "Paris", "pARIS", true],
    [{ type }, "New York", "New  York", false],
    [{ type, whiteSpace: "collapse" }, "New York", "New \n York ", true],
    [{ type, whiteSpace: "ignore" }, "New York", "NewYork", true],
    [{ type, whiteSpace: "keep" }, "Paris", "Paris ", false],
    [{ type }, "Paris", "It is Paris", false],
  ];
  test.each(rows)("%j: %j, given %j, is %j", (options, answer, completion, correct) => {
    expect(judge(options, answer, completion).correct).toBe(correct);
  });
});

describe("number", () => {
  const type = "number";
  const rows: Row[] = [
    [{ type }, "1234", "1,234", true],
    [{ type }, "1234", "1,23,4", false],
    [{ type }, "-3", "\u22123", true],
    [{ type }, "3", "+3.0", true],
    [{ type }, "0.5", "1/2", true],
    [{ type }, "0.5", ".5", true],
    [{ type }, "2000", "2e3", true],
    [{ type }, "5", "$5.", true],
    [{ type }, "-5", "-$5", true],
    [{ type }, "50", "50 %", true],
    [{ type }, "5", "It is 5", false],
    [{ type }, "5", "5 apples", false],
    [{ type }, "5", "5/0", false],
    [{ type }, "5", "", false],
    [{ type }, "0.3333", "1/3", false],
    [{ type, absoluteTolerance: 0.001 }, "0.3333", "1/3", true],
    [{ type, relativeTolerance: 0.01 }, "100", "101", true],
    [{ type, relativeTolerance: 0.01 }, "100", "101.01", false],
    [{ type, absoluteTolerance: 0.1 }, "0.2", "0.3", true],
    [{ type, absoluteTolerance: 0.1 }, "0.2", "0.31", false],
    // One apart, and the same double.
    [{ type }, "9007199254740993", "9007199254740992", false],
  ];
  test.each(rows)("%j: %j, given %j, is %j", (options, answer, completion, correct) => {
    expect(judge(options, answer, completion).correct).toBe(correct);
  });
});

describe("last-number", () => {
  const type = "last-number";
  test.each([
    ["16-3=13", "13"],
    ["so 5-3", "3"],
    ["it is -3.", "-3"],
    ["(-3)", "-3"],
    ["x=-3", "-3"],
    ["1,234 eggs", "1,234"],
    ["1,2345", "2345"],
    ["in 2 of 3/4 cups.", "3/4"],
    ["costs $1.50.", "1.50"],
    ["version2", "2"],
    ["none", undefined],
  ])("reads %j as %j", (completion, number) => {
    expect(judge({ type }, "1", completion).answer).toBe(number);
  });

  test("takes the last number of the answer too", () => {
    expect(judge({ type }, "half of 48 is 24", "It is 24.").correct).toBe(true);
  });
});

describe("after-marker", () => {
  const type = "after-marker";
  const rows: Row[] = [
    [{ type }, "72", "48+24=72\n#### 72", true],
    [{ type }, "Natalia sold 72.\n#### 72", "#### 72 ", true],
    [{ type }, "1,000", "#### 1000", true],
    [{ type }, "72", "#### 7\n#### 72\nMore", true],
    [{ type }, "72", "#### 72\n#### 7", false],
    [{ type }, "72", "72", false],
    [{ type }, "72", "####", false],
    [{ type }, "yes", "#### Yes", false],
    [{ type, ignoreCase: true }, "yes", "#### Yes", true],
    [{ type, marker: "Answer:" }, "B", "so Answer: B", true],
    [{ type, absoluteTolerance: 1 }, "72", "#### 71", true],
  ];
  test.each(rows)("%j: %j, given %j, is %j", (options, answer, completion, correct) => {
    expect(judge(options, answer, completion).correct).toBe(correct);
  });
});

describe("regex", () => {
  const type = "regex";
  const rows: Row[] = [
    [{ type, pattern: "\\\\boxed\\{(\\d+)\\}" }, "12", "\\boxed{1} \\boxed{12}", true],
    [{ type, pattern: "\\\\boxed\\{(\\d+)\\}" }, "so \\boxed{12}", "\\boxed{12}", true],
    [{ type, pattern: "[A-D]" }, "C", "A or B, no: C", true],
    [{ type, pattern: "[A-D]" }, "C", "c", false],
    [{ type, pattern: "[A-D]", ignoreCase: true }, "C", "c", true],
    [{ type, pattern: "(?:answer|result) is (\\w+)" }, "x", "result is x", true],
  ];
  test.each(rows)("%j: %j, given %j, is %j", (options, answer, completion, correct) => {
    expect(judge(options, answer, completion).correct).toBe(correct);
  });

  test("searches the end of a long text, in time that its length does not square", () => {
    const start = performance.now();
    const long = "a".repeat(1_000_000);
    expect(judge({ type, pattern: "a+b" }, "ab", long).correct).toBe(false);
    expect(judge({ type, pattern: "a+b" }, "aab", `${long} aab`).correct).toBe(true);
    expect(performance.now() - start).toBeLessThan(1500);
  });

  test.each([
    ["(", /verifier: pattern is "\(": is no regular expression: Unterminated group\./],
    ["(a)(b)", /pattern is "\(a\)\(b\)": has 2 groups/],
    ["", /pattern is "": expected at least 1 character/],
  ])("refuses the pattern %j", (pattern, message) => {
    expect(() => judge({ type, pattern }, "", "")).toThrow(message);
  });
});

test("an unknown verifier is named, with the nearest there is", () => {
  expect(() => judge({ type: "lastnumber" as never }, "", "")).toThrow(/last-number/);
  expect(() => verifierOf({ type: "lastnumber" } as never)).toThrow(/last-number/);
});

const folder = "gsm8k";
describe.skipIf(missing(folder))(`published rows (needs ../shared/data/${folder})`, () => {
  test.each(["after-marker", "last-number"] as const)("%s reads every answer of GSM8K", (type) => {
    const verify = verifierOf(verifierSchema.parse({ type }));
    const rows = readFileSync(sharedData(`${folder}/test.jsonl`), "utf8")
      .trim()
      .split("\n");
    const answers = rows.map((row) => (JSON.parse(row) as { answer: string }).answer);
    for (const [i, answer] of answers.entries()) {
      const final = answer.slice(answer.indexOf("####"));
      const without = final.replaceAll(",", "");
      expect(verify({ prompt: "", answer, completion: without }).correct).toBe(true);
      expect(verify({ prompt: "", answer, completion: `${without}1` }).correct).toBe(false);
      const other = answers[(i + 1) % answers.length] ?? "";
      const isSame = verify({ prompt: "", answer, completion: other }).correct;
      const numberOfRow = (text: string) =>
        Number(text.slice(text.indexOf("####") + 4).replaceAll(",", ""));
      expect(isSame).toBe(numberOfRow(other) === numberOfRow(answer));
    }
  });
});
