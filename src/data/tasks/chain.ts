import { z } from "zod";
import { drawProblem } from "./chain-graph.js";
import {
  type ChainProblem,
  lastValue,
  operations,
  type Step,
  solve,
  solveWrongly,
  wordings,
} from "./chain-problem.js";
import { chainAlphabet, writePrompt } from "./chain-text.js";
import {
  assignSplit,
  commonTaskFields,
  defineTask,
  drawFromSplit,
  drawStyle,
  styleField,
  type TaskSplit,
} from "./define.js";

const styles = ["full", "compact", "terse", "direct"] as const;
type Style = (typeof styles)[number];

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
      .describe('Prompt as "Ann has 17. Bob has 4 more than Ann. ..." or as "a=17;b=a+4;b?".'),
    style: styleField(styles, "full").describe(
      'Oracle line per hop (a list: one of them at random): full "b = 17 + 4 = 21", compact "b=17+4=21", terse "b=21"; ' +
        'direct: only "21".',
    ),
    ...commonTaskFields,
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
 * from the previous one and another operand: a number, a given quantity or an earlier one. An error
 * changes the value of one hop and is carried on to a wrong answer.
 *
 * Problems whose steps are the same numerically (whatever the names, the order of facts, the
 * distractors, and the order of terms and factors) are in the same split.
 */
export const chainTask = defineTask({
  name: "chain",
  summary: "Follows a chain of arithmetic facts about named quantities, past distractors.",
  config,
  alphabet: ({ wording }) => chainAlphabet(wording),
  generate(options, split, random): ChainProblem {
    const { minHops, maxHops, longerBy } = options;
    const draw = () => {
      const hops =
        split === "longer"
          ? maxHops + 1 + random.integer(longerBy)
          : minHops + random.integer(maxHops - minHops + 1);
      return drawProblem(hops, options, random);
    };
    return drawFromSplit(split, draw, (problem) => splitOf(problem, options));
  },
  splitOf,
  prompt: writePrompt,
  answer: (problem) => String(lastValue(solve(problem))),
  oracle(problem, { style, errorRate }, random) {
    const isWrong = random.uniform() < errorRate;
    const steps = isWrong ? solveWrongly(problem, random) : solve(problem);
    return writeTrace(steps, drawStyle(style, random));
  },
  verify(problem, completion) {
    const answer = readAnswer(completion, problem.hops.at(-1) as string);
    const steps = solve(problem);
    return {
      correct: answer === String(lastValue(steps)),
      answer,
      traceCorrect: styles.some((style) => completion === writeTrace(steps, style)),
    };
  },
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

function writeTrace(steps: readonly Step[], style: Style): string {
  if (style === "direct") return String(lastValue(steps));
  const lines = steps.map(({ name, left, operation, right, value }) => {
    if (style === "terse") return `${name}=${value}`;
    const spaced = `${name} = ${left} ${operation} ${right} = ${value}`;
    return style === "full" ? spaced : spaced.replaceAll(" ", "");
  });
  return lines.join("\n");
}

/** The value at the end of the last line, which is a bare number or starts with the asked name. */
function readAnswer(completion: string, asked: string): string | undefined {
  const line = completion.slice(completion.lastIndexOf("\n") + 1);
  const [, name, value] = /^(?:(\w+) ?=(?:[^\n]*=)? ?)?(\d+)$/.exec(line) ?? [];
  return name === undefined || name === asked ? value : undefined;
}
