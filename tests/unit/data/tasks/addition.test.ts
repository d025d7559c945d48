import { describe, expect, test } from "vitest";
import { type AdditionProblem, additionTask, taskExamples } from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";

const styles = ["scratchpad", "carries", "reversed", "direct"] as const;
const defaults = additionTask.config.parse({});
const problem: AdditionProblem = { left: 37, right: 85, digits: 2 };

/** Every problem with up to two digits. */
function everyProblem(): AdditionProblem[] {
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  return [range(0, 10), range(10, 100)].flatMap((numbers, i) =>
    numbers.flatMap((left) => numbers.map((right) => ({ left, right, digits: i + 1 }))),
  );
}

describe("addition", () => {
  test.each([
    ["scratchpad", "7+5+0=12,3+8+1=12:122"],
    ["carries", "12,12:122"],
    ["reversed", "~221"],
    ["direct", "122"],
  ] as const)("writes %s", (style, trace) => {
    expect(additionTask.prompt(problem)).toBe("37+85=");
    expect(additionTask.oracle(problem, { ...defaults, style }, new Random(1))).toBe(trace);
    expect(additionTask.answer(problem)).toBe("122");
  });

  test("every problem of up to two digits is solved and verified in every style", () => {
    for (const style of styles) {
      const failures = everyProblem().filter((p) => {
        const trace = additionTask.oracle(p, { ...defaults, style }, new Random(1));
        const { correct, answer, traceCorrect } = additionTask.verify(p, trace);
        return !(correct && traceCorrect && answer === String(p.left + p.right));
      });
      expect(failures).toEqual([]);
    }
  });

  test.each(styles)("an errorRate of 1 is always wrong, 0.3 about as often (%s)", (style) => {
    const random = new Random(11);
    const wrongShare = (errorRate: number, count: number) => {
      const options = additionTask.config.parse({ style, errorRate, maxDigits: 4 });
      let wrong = 0;
      for (let i = 0; i < count; i++) {
        const stream = random.stream(i);
        const p = additionTask.generate(options, "train", stream);
        const verdict = additionTask.verify(p, additionTask.oracle(p, options, stream));
        expect(verdict.answer).toMatch(/^\d+$/);
        expect(verdict.traceCorrect).toBe(verdict.correct);
        if (!verdict.correct) wrong += 1;
      }
      return wrong / count;
    };
    expect(wrongShare(1, 1000)).toBe(1);
    // Standard deviation 0.0103.
    expect(Math.abs(wrongShare(0.3, 2000) - 0.3)).toBeLessThan(0.05);
  });

  test("one column is wrong and everything after follows from it", () => {
    const options = additionTask.config.parse({ errorRate: 1, minDigits: 4, maxDigits: 4 });
    for (let i = 0; i < 300; i++) {
      const stream = new Random(i);
      const p = additionTask.generate(options, "train", stream);
      const [steps, answer] = additionTask.oracle(p, options, stream).split(":") as [
        string,
        string,
      ];
      const columns = steps.split(",").map((s) => s.split(/[+=]/).map(Number));
      const wrong = columns.filter(([a, b, c, sum]) => Number(a) + Number(b) + Number(c) !== sum);
      expect(wrong).toHaveLength(1);
      const carries = columns.map(([, , , sum]) => Math.floor(Number(sum) / 10));
      expect(columns.map(([, , carryIn]) => carryIn)).toEqual([0, ...carries.slice(0, -1)]);
      const digits = columns.map(([, , , sum]) => Number(sum) % 10).reverse();
      expect(answer).toBe(String(Number([carries.at(-1), ...digits].join(""))));
    }
  });

  test.each([
    ["122", true, true],
    ["~221", true, true],
    ["7+5+0=12,3+8+1=12:122", true, true],
    // Judged by the answer alone; traceCorrect tells.
    ["7+5+0=12,3+8+0=11:122", true, false],
    [":122", true, false],
    ["7+5+0=12,3+8+1=12:112", false, false],
    ["122 ", false, false],
    ["122\n", false, false],
    ["1220", false, false],
    ["0122", false, false],
    ["122:", false, false],
    ["=122", false, false],
    ["~122", false, false],
    ["7+5+0=12,3+8+1=12", false, false],
    ["1२2", false, false],
    ["", false, false],
  ])("verifies %j as %s", (completion, correct, traceCorrect) => {
    expect(additionTask.verify(problem, completion)).toMatchObject({ correct, traceCorrect });
  });

  test("each problem is in one split, its mirror image in the same", () => {
    const options = additionTask.config.parse({ maxDigits: 1, heldOutFraction: 0.3 });
    const counts = { train: 0, heldOut: 0, longer: 0 };
    const misplaced = everyProblem().filter((p) => {
      const split = additionTask.splitOf(p, options);
      counts[split] += 1;
      const mirror = { ...p, left: p.right, right: p.left };
      const isMoved = additionTask.splitOf(mirror, options) !== split;
      return isMoved || (split === "longer") !== p.digits > 1;
    });
    expect(misplaced).toEqual([]);
    expect(counts.longer).toBe(8100);
    expect(counts.train + counts.heldOut).toBe(100);
    expect(Math.abs(counts.heldOut - 30)).toBeLessThan(15);
  });

  test("what is drawn for one split never occurs in another", () => {
    const options = additionTask.config.parse({ maxDigits: 2, heldOutFraction: 0.2 });
    const drawn = (["train", "heldOut", "longer"] as const).map((split) => {
      const items = taskExamples(additionTask, options, split, new Random(5), 3000);
      return new Set(items.map(({ prompt }) => prompt));
    });
    const [train, heldOut, longer] = drawn as [Set<string>, Set<string>, Set<string>];
    expect([...heldOut, ...longer].filter((prompt) => train.has(prompt))).toEqual([]);
    expect([...longer].filter((prompt) => heldOut.has(prompt))).toEqual([]);
    expect([...longer].every((prompt) => /^\d{3}\+\d{3}=$/.test(prompt))).toBe(true);
    expect(heldOut.size).toBeGreaterThan(500);
  });

  test("the alphabet is exactly the characters that occur", () => {
    const seen = new Set<string>();
    for (const style of styles) {
      for (const split of ["train", "heldOut", "longer"] as const) {
        const options = additionTask.config.parse({ style, errorRate: 0.5 });
        for (const { prompt, completion } of taskExamples(
          additionTask,
          options,
          split,
          new Random(2),
          100,
        )) {
          for (const character of prompt + completion) seen.add(character);
        }
      }
    }
    expect([...seen].sort()).toEqual([...additionTask.alphabet(defaults)].sort());
  });

  test("a split without problems is an error, not an endless loop", () => {
    const options = additionTask.config.parse({ maxDigits: 1, heldOutFraction: 1e-6 });
    expect(() => additionTask.generate(options, "heldOut", new Random(1))).toThrow(
      'found no problem of the split "heldOut"',
    );
  });

  test("contradicting or unknown options are refused", () => {
    expect(additionTask.config.safeParse({ minDigits: 4 }).success).toBe(false);
    expect(additionTask.config.safeParse({ maxDigits: 15 }).success).toBe(false);
    expect(additionTask.config.safeParse({ digits: 3 }).success).toBe(false);
  });

  test("sums of fifteen digits are exact", () => {
    const [left, right] = [999_999_999_999_999, 999_999_999_999_999];
    const p = { left, right, digits: 15 };
    const trace = additionTask.oracle(p, defaults, new Random(1));
    expect(trace.endsWith(":1999999999999998")).toBe(true);
    expect(additionTask.verify(p, trace).correct).toBe(true);
  });
});
