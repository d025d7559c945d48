import type { Random } from "../../tensors/index.js";

export const operations = ["+", "-", "*"] as const;
export type Operation = (typeof operations)[number];

export const wordings = ["sentences", "symbols"] as const;
export type Wording = (typeof wordings)[number];

/** The name of a quantity, or a number. */
export type Operand = string | number;

/** `name = value`, or `name = left operation right`. */
export type Fact =
  | { readonly name: string; readonly value: number }
  | {
      readonly name: string;
      readonly left: Operand;
      readonly operation: Operation;
      readonly right: Operand;
    };

/** Facts about named quantities and the one that is asked for. */
export interface ChainProblem {
  /** In the order of the prompt. */
  readonly facts: readonly Fact[];
  /** The quantities to compute, each from earlier ones; the last is asked for. */
  readonly hops: readonly string[];
  readonly modulus: number;
  readonly wording: Wording;
}

export interface Step {
  readonly name: string;
  readonly left: number;
  readonly operation: Operation;
  readonly right: number;
  readonly value: number;
}

/** The hops with numbers for names. `error` is added to the value of one hop and carried on. */
export function solve(problem: ChainProblem, error?: { hop: number; offset: number }): Step[] {
  const { facts, hops, modulus } = problem;
  const values = new Map(facts.flatMap((f) => ("value" in f ? [[f.name, f.value]] : [])));
  const valueOf = (operand: Operand): number => {
    const value = typeof operand === "number" ? operand : values.get(operand);
    if (value === undefined) throw new Error(`The quantity ${operand} is used before it is known.`);
    return value;
  };
  return hops.map((name, hop) => {
    const fact = facts.find((f) => f.name === name);
    if (fact === undefined || "value" in fact) throw new Error(`The hop ${name} has no operation.`);
    const left = valueOf(fact.left);
    const right = valueOf(fact.right);
    const offset = error?.hop === hop ? error.offset : 0;
    const exact = { "+": left + right, "-": left - right, "*": left * right }[fact.operation];
    const value = (((exact + offset) % modulus) + modulus) % modulus;
    values.set(name, value);
    return { name, left, operation: fact.operation, right, value };
  });
}

/** One wrong value, such that the answer is wrong: later hops could cancel it (a - a, 20 * 5). */
export function solveWrongly(problem: ChainProblem, random: Random): Step[] {
  const { hops, modulus } = problem;
  const answer = lastValue(solve(problem));
  for (let attempt = 0; ; attempt++) {
    // The last hop never cancels: after some attempts it is taken.
    const hop = attempt < 8 ? random.integer(hops.length) : hops.length - 1;
    const steps = solve(problem, { hop, offset: 1 + random.integer(modulus - 1) });
    if (lastValue(steps) !== answer) return steps;
  }
}

export function lastValue(steps: readonly Step[]): number {
  return (steps.at(-1) as Step).value;
}
