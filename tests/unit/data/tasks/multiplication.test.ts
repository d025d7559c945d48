import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { multiplicationTask, taskItems } from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { missing, sharedData } from "../../../setup/data/shared-data.js";

const defaults = multiplicationTask.config.parse({});
const problem = { left: 3719, right: 3349, digits: 4, spaces: true };
const trace =
  "1 7 4 3 3 + 0 6 7 8 4 1 ( 1 3 2 2 8 1 ) + 0 0 7 5 1 1 1 ( 1 3 9 7 9 2 1 ) + 0 0 0 7 5 1 1 1 #### 1 3 9 4 5 4 2 1";

describe("multiplication", () => {
  test("writes partial products, running sums and the product, last digits first", () => {
    expect(multiplicationTask.prompt(problem)).toBe("9 1 7 3 * 9 4 3 3||");
    expect(multiplicationTask.oracle(problem, defaults, new Random(1))).toBe(trace);
    const tight = { ...problem, spaces: false };
    expect(multiplicationTask.prompt(tight)).toBe("9173*9433||");
    expect(multiplicationTask.oracle(tight, defaults, new Random(1))).toBe(
      trace.replaceAll(" ", ""),
    );
  });

  test.each([
    [trace, true, true],
    ["#### 1 3 9 4 5 4 2 1", true, true],
    ["####13945421", true, false],
    [`so ${trace}`, true, false],
    [`${trace} `, false, false],
    ["#### 1 3 9 4 5 4 2 2", false, false],
    ["#### 1 3 9 4 5 4 2", false, false],
    ["1 3 9 4 5 4 2 1", false, false],
    ["", false, false],
  ])("verifies %j as %s", (completion, correct, traceCorrect) => {
    expect(multiplicationTask.verify(problem, completion)).toMatchObject({ correct, traceCorrect });
  });

  test("judges every number, and a later one that is right all the same", () => {
    const wrong = trace.replace("( 1 3 2 2 8 1 )", "( 1 3 2 2 9 1 )");
    const judged = multiplicationTask.checkSteps?.(problem, wrong) ?? [];
    expect(judged.map(({ start, end }) => wrong.slice(start, end))).toEqual([
      "1 7 4 3 3",
      "0 6 7 8 4 1",
      "( 1 3 2 2 9 1 )",
      "0 0 7 5 1 1 1",
      "( 1 3 9 7 9 2 1 )",
      "0 0 0 7 5 1 1 1",
      "#### 1 3 9 4 5 4 2 1",
    ]);
    expect(judged.map(({ correct }) => correct)).toEqual([
      true,
      true,
      false,
      true,
      true,
      true,
      true,
    ]);
  });

  test.each(["digit", "carry", "shift", "sum"] as const)("a mistake: %s", (kind) => {
    const options = multiplicationTask.config.parse({
      ...{ errorRate: 1, minDigits: 3, maxDigits: 3, mistakes: [kind] },
    });
    for (const { problem: p, example } of taskItems(
      ...([multiplicationTask, options, "train", new Random(5), 50] as const),
    )) {
      expect(multiplicationTask.verify(p, example.completion).correct).toBe(false);
      expect(multiplicationTask.verify(p, example.completion).answer).toMatch(/^\d+$/);
      const judged = multiplicationTask.checkSteps?.(p, example.completion) ?? [];
      expect(judged.filter(({ correct }) => !correct).length).toBeGreaterThan(0);
    }
  });
});

const folder = "implicit_cot";
describe.skipIf(missing(folder))(`the published lines (needs ../shared/data/${folder})`, () => {
  test.each(["mult_4x4", "mult_5x5"])("%s, byte for byte", (name) => {
    for (const file of ["valid.txt", "test_bigbench.txt"]) {
      const text = readFileSync(sharedData(`${folder}/${name}/${file}`), "utf8");
      for (const line of text.trimEnd().split("\n")) {
        const [left, right] = line
          .slice(0, line.indexOf("||"))
          .split(" * ")
          .map((digits) => Number(digits.split(" ").reverse().join(""))) as [number, number];
        const digits = Number(name.at(-1));
        const published = { left, right, digits, spaces: true };
        const written =
          multiplicationTask.prompt(published) +
          multiplicationTask.oracle(published, defaults, new Random(1));
        expect(written).toBe(line);
      }
    }
  });
});
