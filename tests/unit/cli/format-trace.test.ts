import { Chalk } from "chalk";
import { expect, test } from "vitest";
import { tracedLines } from "../../../src/cli/format-trace.js";
import type { TracedToken } from "../../../src/trainers/index.js";

const token = (text: string, forwardKl: number): TracedToken => ({
  ...{
    text,
    id: 1,
    studentEntropy: 1,
    teacherEntropy: 1,
    forwardKl,
    reverseKl: 2,
    advantage: -0.5,
  },
  student: [
    { text: "\u001b[2J", probability: 0.75 },
    { text: "b", probability: 0.2 },
  ],
  teacher: [{ text: " c", probability: 1 }],
});
const traced = { given: "1\u0007", tokens: [token(" a", 0.01), token("\u001b[1m", 3)], notes: [] };

test("without colours there is a line for each token, with alternatives where they are asked for", () => {
  const format = { by: "forwardKl", alternatives: 2 } as const;
  expect(tracedLines(traced, format, new Chalk({ level: 0 }))).toEqual([
    "token           fKL     rKL     adv  student                         teacher",
    '" a"         0.0100  2.0000  -0.500  "\\u001b[2J" 75.0 %, "b" 20.0 %  " c" 100.0 %',
    expect.stringContaining("3.0000  2.0000"),
    "",
    "Mean KL(teacher ‖ student): 1.5050 nats a token over 2 tokens.",
  ]);
});

test("with colours there is the text, each token on its background, nothing that steers the terminal", () => {
  const format = { by: "forwardKl", alternatives: 0 } as const;
  const lines = tracedLines(traced, format, new Chalk({ level: 3 }));
  const red = "\u001b[48;2;179;0;0m\u001b[38;2;255;255;255m";
  expect(lines[0]).toBe(`\u001b[2m1␇\u001b[22m a${red}␛[1m\u001b[39m\u001b[49m`);
  expect(lines[2]).toContain(`${red} ≥ 2 `);
  expect(lines).toHaveLength(4);
  // With sixteen colours, by the reverse KL: both are as far apart.
  const few = tracedLines(traced, { ...format, by: "reverseKl" }, new Chalk({ level: 1 }));
  expect(few[0]?.split("\u001b[41m\u001b[37m")).toHaveLength(3);
  expect(few.at(-1)).toMatch(/^Mean KL\(student ‖ teacher\): 2.0000/);
});

test("a divergence that is not finite is the darkest", () => {
  const format = { by: "forwardKl", alternatives: 0 } as const;
  for (const kl of [Infinity, Number.NaN]) {
    const lines = tracedLines(
      { ...traced, tokens: [token("x", kl)] },
      format,
      new Chalk({ level: 1 }),
    );
    expect(lines[0]).toContain("\u001b[41m");
  }
});
