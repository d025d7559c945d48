import { z } from "zod";
import type { Random } from "../../tensors/index.js";
import {
  assignSplit,
  commonTaskFields,
  defineTask,
  drawFromSplit,
  drawLength,
  drawStyle,
  styleField,
  type TaskSplit,
} from "./define.js";
import { judgeParts, partsOf, restOf } from "./parts.js";

/** `left + right`; both operands have `digits` digits. */
export interface AdditionProblem {
  readonly left: number;
  readonly right: number;
  readonly digits: number;
}

const styles = ["scratchpad", "carries", "reversed", "direct"] as const;
type Style = (typeof styles)[number];

// Sums stay exact in a double.
const digitLimit = 15;

const config = z
  .strictObject({
    minDigits: z.int().min(1).default(1).describe("Fewest digits of an operand."),
    maxDigits: z.int().min(1).default(3).describe("Most digits of an operand in training."),
    style: styleField(styles, "scratchpad").describe(
      "How the oracle writes 37+85 (a list: one of them at random): scratchpad 7+5+0=12,3+8+1=12:122, carries 12,12:122, " +
        "reversed ~221, direct 122.",
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
 * Addition of two numbers with equally many digits. The prompt is `37+85=`.
 *
 * The scratchpad goes from the last digit to the first: `digit+digit+carry=` and the sum in two
 * digits (carry, digit), columns separated by commas, then `:` and the answer. An error changes the
 * sum of one column; the wrong digit and carry are used from there on, so the answer is wrong too.
 * Problems that differ in the order of the operands are in the same split.
 */
export const additionTask = defineTask({
  name: "addition",
  summary: "Adds two numbers digit by digit with carries.",
  config,
  alphabet: () => "0123456789+=,:~",
  generate(options, split, random): AdditionProblem {
    const { minDigits, maxDigits, longerBy } = options;
    const draw = () => {
      const digits = drawLength(split, [minDigits, maxDigits], longerBy, random);
      return { left: drawNumber(digits, random), right: drawNumber(digits, random), digits };
    };
    return drawFromSplit(split, draw, (problem) => splitOf(problem, options));
  },
  splitOf,
  prompt: ({ left, right }) => `${left}+${right}=`,
  answer,
  oracle(problem, { style, errorRate }, random) {
    const isWrong = random.uniform() < errorRate;
    const error = isWrong ? drawError(problem, random) : undefined;
    return writeTrace(problem, drawStyle(style, random), error);
  },
  verify(problem, completion) {
    const given = readAnswer(completion);
    return {
      correct: given === answer(problem),
      answer: given,
      traceCorrect: styles.some((style) => completion === writeTrace(problem, style)),
    };
  },
  checkSteps(problem, completion) {
    const parts = partsOf(completion, stepPattern);
    // Columns with operands are of the scratchpad; without a column there is only an answer.
    const [first = { start: 0, end: 0 }] = parts;
    const column = completion.slice(first.start, first.end);
    const style = column.includes("+")
      ? "scratchpad"
      : column.startsWith("~")
        ? "reversed"
        : parts.length > 1 || completion.endsWith(",")
          ? "carries"
          : "direct";
    const trace = writeTrace(problem, style);
    return judgeParts(completion, trace, stepPattern);
  },
  backward({ left, right }, random) {
    const [known, asked] = random.integer(2) === 0 ? [left, right] : [right, left];
    const sum = left + right;
    return {
      prompt: `${sum}=${known}+`,
      answer: String(asked),
      completion: `${known}+${asked}=${sum}:${asked}`,
    };
  },
  continueFrom(problem, prefix, { style }, random) {
    const preferred = drawStyle(style, random);
    return restOf(
      [preferred, ...styles].map((written) => writeTrace(problem, written)),
      prefix,
    );
  },
});

/** Columns, and the answer with what is before it. */
const stepPattern = /:[^]*|[^,:]+/g;

function splitOf(
  { left, right, digits }: AdditionProblem,
  { maxDigits, heldOutFraction }: z.output<typeof config>,
): TaskSplit {
  const [low, high] = left < right ? [left, right] : [right, left];
  return assignSplit(digits > maxDigits, `addition:${low}+${high}`, heldOutFraction);
}

function answer({ left, right }: AdditionProblem): string {
  return String(left + right);
}

/** Uniform among the numbers with that many digits (0 to 9 for one digit). */
function drawNumber(digits: number, random: Random): number {
  let value = digits === 1 ? random.integer(10) : 1 + random.integer(9);
  for (let i = 1; i < digits; i++) value = value * 10 + random.integer(10);
  return value;
}

/** A wrong sum in one column. */
interface ColumnError {
  readonly column: number;
  /** Added to the right sum modulo 20, 1 to 19: a column's sum lies in 0 to 19. */
  readonly offset: number;
}

function drawError({ digits }: AdditionProblem, random: Random): ColumnError {
  return { column: random.integer(digits), offset: 1 + random.integer(19) };
}

/**
 * The columns from the last digit on. A wrong sum always gives a wrong answer: either its digit is
 * wrong, or only its carry, which makes the next digit (or the leading one) wrong.
 */
function addColumns({ left, right, digits }: AdditionProblem, error?: ColumnError) {
  let carry = 0;
  return Array.from({ length: digits }, (_, column) => {
    const a = digitAt(left, column);
    const b = digitAt(right, column);
    const carryIn = carry;
    const offset = error?.column === column ? error.offset : 0;
    const sum = (a + b + carryIn + offset) % 20;
    carry = Math.floor(sum / 10);
    return { a, b, carryIn, sum };
  });
}

function writeTrace(problem: AdditionProblem, style: Style, error?: ColumnError): string {
  const columns = addColumns(problem, error);
  const carryOut = Math.floor((columns.at(-1)?.sum ?? 0) / 10);
  const reversed = columns.map(({ sum }) => sum % 10).join("") + (carryOut > 0 ? "1" : "");
  const result = String(Number(Array.from(reversed).reverse().join("")));
  const twoDigits = (sum: number) => String(sum).padStart(2, "0");
  switch (style) {
    case "scratchpad": {
      const steps = columns.map((c) => `${c.a}+${c.b}+${c.carryIn}=${twoDigits(c.sum)}`);
      return `${steps.join(",")}:${result}`;
    }
    case "carries":
      return `${columns.map(({ sum }) => twoDigits(sum)).join(",")}:${result}`;
    case "reversed":
      return `~${Array.from(result).reverse().join("")}`;
    case "direct":
      return result;
  }
}

/** The number after the last `:`, the reversed one after a leading `~`, or all of the text. */
function readAnswer(completion: string): string | undefined {
  const reversed = /^~(\d+)$/.exec(completion)?.[1];
  if (reversed !== undefined) return Array.from(reversed).reverse().join("");
  return /^(?:[^]*:)?(\d+)$/.exec(completion)?.[1];
}

function digitAt(value: number, column: number): number {
  return Math.floor(value / 10 ** column) % 10;
}
