import type { Random } from "../../../tensors/index.js";
import {
  type ChainProblem,
  compute,
  lastValue,
  type Operation,
  operations,
  type Step,
  solve,
} from "./problem.js";

/** What can go wrong in one hop. Whatever it is, the wrong value is carried on. */
export const mistakes = [
  "slip",
  "carry",
  "operand",
  "operation",
  "order",
  "copy",
  "modulus",
] as const;
export type MistakeKind = (typeof mistakes)[number];

/** What they are, for the option's description. */
export const mistakeFacts =
  "slip: any other value; carry: a carry or a borrow is forgotten; operand: the number of another " +
  "quantity is taken; operation: another one is used; order: a difference is taken the wrong way " +
  "round; copy: an operand is written as the result; modulus: the result is not reduced";

/** The hop with that mistake; undefined where it cannot be made there. */
type Maker = (step: Step, problem: ChainProblem, random: Random) => Step | undefined;

const makers: Readonly<Record<MistakeKind, Maker>> = {
  slip(step, { modulus }, random) {
    return { ...step, value: (step.value + 1 + random.integer(modulus - 1)) % modulus };
  },
  carry(step, { modulus }) {
    return { ...step, value: withoutCarry(step) % modulus };
  },
  operand(step, { facts, modulus }, random) {
    const others = facts.flatMap((fact) => ("value" in fact ? [fact.value] : []));
    const side = random.integer(2) === 0 ? "left" : "right";
    const wrong = { ...step, [side]: random.pick(others) };
    return { ...wrong, value: compute(wrong.left, wrong.operation, wrong.right, modulus) };
  },
  operation(step, { modulus }, random) {
    const operation: Operation = random.pick(operations.filter((o) => o !== step.operation));
    return { ...step, operation, value: compute(step.left, operation, step.right, modulus) };
  },
  order(step, { modulus }) {
    const { left, operation, right } = step;
    if (operation !== "-") return undefined;
    return { ...step, left: right, right: left, value: compute(right, operation, left, modulus) };
  },
  copy(step, { modulus }, random) {
    return { ...step, value: (random.integer(2) === 0 ? step.left : step.right) % modulus };
  },
  modulus(step) {
    const { left, operation, right } = step;
    return {
      ...step,
      value: { "+": left + right, "-": left - right, "*": left * right }[operation],
    };
  },
};

/** Digit by digit, where nothing goes from one place to the next. */
function withoutCarry({ left, operation, right }: Step): number {
  let value = 0;
  for (let place = 1; place <= Math.max(left, right); place *= 10) {
    const a = Math.floor(left / place) % 10;
    // A product has a small number as one factor, which meets every digit of the other.
    const b = operation === "*" ? right : Math.floor(right / place) % 10;
    value += (compute(a, operation, b, 10) % 10) * place;
  }
  return value;
}

/**
 * Steps with one mistake in them, such that the answer is wrong: later hops could cancel it (a - a,
 * 20 * 5).
 */
export function solveWrongly(
  problem: ChainProblem,
  kinds: readonly MistakeKind[],
  random: Random,
): Step[] {
  const { hops } = problem;
  const answer = lastValue(solve(problem));
  for (let attempt = 0; ; attempt++) {
    // Not every mistake can be made everywhere, but in the last hop a slip never cancels.
    const isLast = attempt >= 8 * kinds.length;
    const hop = isLast ? hops.length - 1 : random.integer(hops.length);
    const kind = kinds.length === 1 ? (kinds[0] as MistakeKind) : random.pick(kinds);
    let isMade = false;
    const make = (step: Step) => {
      const wrong = makers[isLast ? "slip" : kind](step, problem, random);
      isMade = wrong !== undefined && JSON.stringify(wrong) !== JSON.stringify(step);
      return wrong ?? step;
    };
    const steps = solve(problem, { hop, make });
    if (isMade && lastValue(steps) !== answer) return steps;
  }
}
