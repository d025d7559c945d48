import { z } from "zod";
import {
  assignSplit,
  commonTaskFields,
  defineTask,
  drawFromSplit,
  drawLength,
  drawStyle,
  styleField,
  type TaskSplit,
} from "../define.js";
import { turnRound } from "./backward.js";
import { drawProblem } from "./graph.js";
import { mistakeFacts, mistakes, solveWrongly } from "./mistakes.js";
import { type ChainProblem, lastValue, operations, solve, wordings } from "./problem.js";
import { isRightTrace, judgeLines, restOfTrace } from "./steps.js";
import { chainAlphabet, writePrompt } from "./text.js";
import { styles, talks, writeTalkingTrace, writeTrace } from "./trace.js";

// So that every quantity of the longest problem has a name of its own.
const hopLimit = 8;

const config = z
  .strictObject({
    minHops: z.int().min(1).default(1).describe("Fewest quantities to compute."),
    maxHops: z.int().min(1).default(3).describe("Most quantities to compute in training."),
    distractors: z.int().min(0).max(8).default(2).describe("Facts that the answer does not need."),
    operations: z
      .array(z.enum(operations))
      .min(1)
      .default([...operations])
      .describe("Operations that occur; products always have a small number as one factor."),
    modulus: z
      .int()
      .min(10)
      .max(10_000)
      .default(100)
      .describe("All arithmetic is modulo this, so that numbers stay short."),
    order: z
      .enum(["shuffled", "forward"])
      .default("shuffled")
      .describe("Order of the facts: any, or every quantity after those it is made from."),
    wording: z
      .enum(wordings)
      .default("sentences")
      .describe(
        'Prompt as sentences, "Ann has 17. Bob has 4 more than Ann. ...", as symbols, "a=17;b=a+4;b?", or as a table with a column per fact.',
      ),
    hidden: z
      .boolean()
      .default(false)
      .describe(
        "Teachers that can be shown something hidden are shown the problem in symbols, for prompts in another wording.",
      ),
    style: styleField(styles, "full").describe(
      'Oracle line per hop (a list: one of them at random): full "b = 17 + 4 = 21", compact "b=17+4=21", terse "b=21"; ' +
        'direct: only "21".',
    ),
    verbosity: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe("Share of hops at which the oracle talks to itself, in every style but direct."),
    talk: z
      .array(z.enum(talks))
      .min(1)
      .default([...talks])
      .describe(
        'What it says then: the fact again, "b=a+4" (restate), the value again behind the hop, "check b=21" (check), or first a wrong line that "wait" takes back (detour).',
      ),
    mistakes: z
      .array(z.enum(mistakes))
      .min(1)
      .default(["slip"])
      .describe(
        `What goes wrong in wrong traces, one of these in one hop: ${mistakeFacts}. Where none of them makes the answer wrong, the last hop has a slip.`,
      ),
    ...commonTaskFields,
  })
  .refine(({ wording, hidden }) => !(hidden && wording === "symbols"), {
    message: "hides nothing where the prompt is in symbols already",
    path: ["hidden"],
  })
  .refine(({ minHops, maxHops }) => minHops <= maxHops, {
    message: "must not be smaller than minHops",
    path: ["maxHops"],
  })
  .refine(({ maxHops, longerBy }) => maxHops + longerBy <= hopLimit, {
    message: `maxHops + longerBy must not exceed ${hopLimit}`,
    path: ["longerBy"],
  });

/**
 * Arithmetic word problems over a random graph of named quantities. Every hop computes one quantity
 * from the previous one and another operand: a number, a given quantity or an earlier one. A mistake
 * is made in one hop and is carried on to a wrong answer.
 *
 * Problems whose steps are the same numerically (whatever the names, the order of facts, the
 * distractors, and the order of terms and factors) are in the same split.
 */
export const chainTask = defineTask({
  name: "chain",
  summary: "Follows a chain of arithmetic facts about named quantities, past distractors.",
  config,
  alphabet: ({ wording, hidden }) => chainAlphabet(wording, hidden),
  generate(options, split, random): ChainProblem {
    const { minHops, maxHops, longerBy } = options;
    const draw = () => {
      const hops = drawLength(split, [minHops, maxHops], longerBy, random);
      return drawProblem(hops, options, random);
    };
    return drawFromSplit(split, draw, (problem) => splitOf(problem, options));
  },
  splitOf,
  prompt: writePrompt,
  answer: (problem) => String(lastValue(solve(problem))),
  oracle(problem, { style, errorRate, verbosity, talk, mistakes: kinds }, random) {
    const isWrong = random.uniform() < errorRate;
    const steps = isWrong ? solveWrongly(problem, kinds, random) : solve(problem);
    const drawn = drawStyle(style, random);
    if (verbosity === 0) return writeTrace(steps, drawn);
    return writeTalkingTrace(problem, steps, { style: drawn, verbosity, talk }, random);
  },
  verify(problem, completion) {
    const answer = readAnswer(completion, problem.hops.at(-1) as string);
    return {
      correct: answer === String(lastValue(solve(problem))),
      answer,
      traceCorrect: isRightTrace(problem, completion),
    };
  },
  hidden: (problem, { hidden }) =>
    hidden ? writePrompt({ ...problem, wording: "symbols" }) : undefined,
  checkSteps: (problem, completion) =>
    judgeLines(problem, completion).map(({ start, end, correct }) => ({ start, end, correct })),
  backward: turnRound,
  continueFrom: (problem, prefix, { style }, random) =>
    restOfTrace(problem, prefix, drawStyle(style, random)),
});

function splitOf(
  problem: ChainProblem,
  { maxHops, heldOutFraction }: z.output<typeof config>,
): TaskSplit {
  const steps = solve(problem).map(({ left, operation, right }) => {
    const swap = operation !== "-" && left > right;
    return swap ? `${right}${operation}${left}` : `${left}${operation}${right}`;
  });
  const canonical = `chain:${problem.modulus}:${steps.join(";")}`;
  return assignSplit(problem.hops.length > maxHops, canonical, heldOutFraction);
}

/** The value at the end of the last line, which is a bare number, or starts with or checks the asked name. */
function readAnswer(completion: string, asked: string): string | undefined {
  const line = completion.slice(completion.lastIndexOf("\n") + 1);
  const [, name, value] = /^(?:(?:check )?(\w+) ?=(?:[^\n]*=)? ?)?(\d+)$/.exec(line) ?? [];
  return name === undefined || name === asked ? value : undefined;
}
