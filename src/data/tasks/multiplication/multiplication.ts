import { z } from "zod";
import type { Random } from "../../../tensors/index.js";
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
import { judgeParts, restOf } from "../parts.js";
import { type Mistake, mistakes, multiply, type Products } from "./products.js";
import { digitsOf, type MultiplicationProblem, readAnswer, styles, writeTrace } from "./text.js";

export type { MultiplicationProblem } from "./text.js";

// Products stay exact in a double.
const digitLimit = 7;

const config = z
  .strictObject({
    minDigits: z.int().min(1).default(1).describe("Fewest digits of an operand."),
    maxDigits: z.int().min(1).default(2).describe("Most digits of an operand in training."),
    spaces: z
      .boolean()
      .default(true)
      .describe(
        'Digits with spaces between them, "2 1 * 4 3||", or without, "21*43||", which is shorter for tokenizers of characters.',
      ),
    style: styleField(styles, "products").describe(
      'How the oracle writes (a list: one of them at random): products "8 4 0 + 0 6 3 0 #### 8 0 4 0", the partial products and, between them, their running sums in brackets; direct "#### 8 0 4 0".',
    ),
    mistakes: z
      .array(z.enum(mistakes))
      .min(1)
      .default([...mistakes])
      .describe(
        "What goes wrong in wrong traces, one of these: digit, a wrong digit in a partial product; carry, one that forgets its carries; shift, one without its zeros in front; sum, an addition that forgets its carries. Where none of them makes the answer wrong, a digit does.",
      ),
    ...commonTaskFields,
  })
  .refine(({ minDigits, maxDigits }) => minDigits <= maxDigits, {
    message: "must not be smaller than minDigits",
    path: ["maxDigits"],
  })
  .refine(({ maxDigits, longerBy }) => maxDigits + longerBy <= digitLimit, {
    message: `maxDigits + longerBy must not exceed ${digitLimit}`,
    path: ["longerBy"],
  });

/**
 * Product of two numbers of equally many digits by partial products, in the format of Deng et al.
 * 2023, "Implicit Chain of Thought Reasoning via Knowledge Distillation": all numbers with their last
 * digit first, `prompt||partial + partial ( running sum ) + partial #### product`.
 *
 * Problems that differ in the order of the operands are in the same split.
 */
export const multiplicationTask = defineTask({
  name: "multiplication",
  summary: "Multiplies two numbers by partial products, last digits first.",
  config,
  alphabet: () => "0123456789 *|+()#",
  generate(options, split, random): MultiplicationProblem {
    const { minDigits, maxDigits, longerBy, spaces } = options;
    const draw = () => {
      const digits = drawLength(split, [minDigits, maxDigits], longerBy, random);
      const [left, right] = [drawNumber(digits, random), drawNumber(digits, random)];
      return { left, right, digits, spaces };
    };
    return drawFromSplit(split, draw, (problem) => splitOf(problem, options));
  },
  splitOf,
  prompt({ left, right, digits, spaces }) {
    const text = `${digitsOf(left, digits)} * ${digitsOf(right, digits)}||`;
    return spaces ? text : text.replaceAll(" ", "");
  },
  answer: (problem) => String(problem.left * problem.right),
  oracle(problem, { style, errorRate, mistakes: kinds }, random) {
    const isWrong = random.uniform() < errorRate;
    const products = isWrong ? multiplyWrongly(problem, kinds, random) : multiply(problem);
    return writeTrace(problem, products, drawStyle(style, random));
  },
  verify(problem, completion) {
    const given = readAnswer(completion);
    return {
      correct: given === String(problem.left * problem.right),
      answer: given,
      traceCorrect: styles.some((style) => completion === rightTrace(problem, style)),
    };
  },
  checkSteps(problem, completion) {
    const style = completion.trimStart().startsWith("####") ? "direct" : "products";
    const trace = rightTrace(problem, style);
    return judgeParts(completion, trace, steps);
  },
  continueFrom(problem, prefix, { style }, random) {
    const preferred = drawStyle(style, random);
    return restOf(
      [preferred, ...styles].map((written) => rightTrace(problem, written)),
      prefix,
    );
  },
});

/** Partial products, running sums and the product, without the spaces around them. */
const steps = /####[^]*|\([^)]*\)?|[^\s+(#](?:[^+(#]*[^\s+(#])?/g;

function rightTrace(problem: MultiplicationProblem, style: (typeof styles)[number]): string {
  return writeTrace(problem, multiply(problem), style);
}

function splitOf(
  { left, right, digits }: MultiplicationProblem,
  { maxDigits, heldOutFraction }: { readonly maxDigits: number; readonly heldOutFraction: number },
): TaskSplit {
  const [low, high] = left < right ? [left, right] : [right, left];
  return assignSplit(digits > maxDigits, `multiplication:${low}*${high}`, heldOutFraction);
}

/** Uniform among the numbers with that many digits. */
function drawNumber(digits: number, random: Random): number {
  const least = 10 ** (digits - 1);
  return least + random.integer(9 * least);
}

/** Products with one mistake that makes the answer wrong. */
function multiplyWrongly(
  problem: MultiplicationProblem,
  kinds: readonly Mistake["kind"][],
  random: Random,
): Products {
  const { left, right, digits } = problem;
  for (let attempt = 0; ; attempt++) {
    // Not every mistake can be made everywhere: nothing is carried in 11 * 11.
    const kind = attempt < 8 * kinds.length ? random.pick(kinds) : "digit";
    const offset = (1 + random.integer(9)) * 10 ** random.integer(digits);
    const products = multiply(problem, { kind, at: random.integer(digits), offset });
    if (products.product !== left * right) return products;
  }
}
