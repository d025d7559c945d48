export const operations = ["+", "-", "*"] as const;
export type Operation = (typeof operations)[number];

export const wordings = ["sentences", "symbols", "table"] as const;
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

/** A hop as it is written with a mistake in it, given how it should be written. */
export interface Mistake {
  readonly hop: number;
  make(step: Step): Step;
}

/** The hops with numbers for names. A mistake changes one hop, and its value is carried on. */
export function solve(problem: ChainProblem, mistake?: Mistake): Step[] {
  const { facts, hops, modulus } = problem;
  const values = new Map(facts.flatMap((f) => ("value" in f ? [[f.name, f.value]] : [])));
  return hops.map((name, hop) => {
    const fact = facts.find((f) => f.name === name);
    if (fact === undefined || "value" in fact) throw new Error(`The hop ${name} has no operation.`);
    const left = valueOf(fact.left, values);
    const right = valueOf(fact.right, values);
    const value = compute(left, fact.operation, right, modulus);
    const step = { name, left, operation: fact.operation, right, value };
    const written = mistake?.hop === hop ? mistake.make(step) : step;
    values.set(name, written.value);
    return written;
  });
}

function valueOf(operand: Operand, values: ReadonlyMap<string, number>): number {
  const value = typeof operand === "number" ? operand : values.get(operand);
  if (value === undefined) throw new Error(`The quantity ${operand} is used before it is known.`);
  return value;
}

/** In 0 to modulus − 1. */
export function compute(
  left: number,
  operation: Operation,
  right: number,
  modulus: number,
): number {
  const exact = { "+": left + right, "-": left - right, "*": left * right }[operation];
  return ((exact % modulus) + modulus) % modulus;
}

export function lastValue(steps: readonly Step[]): number {
  return (steps.at(-1) as Step).value;
}

/** Every quantity that the facts tell or imply, distractors too, by name. */
export function allSteps({ facts, modulus, ...rest }: ChainProblem): Map<string, Step> {
  const known = new Set(facts.filter((fact) => "value" in fact).map(({ name }) => name));
  const hops: string[] = [];
  // Facts may stand in any order: one that can be computed is found in every round.
  for (let found = true; found; ) {
    const next = facts.find(
      (fact) =>
        !known.has(fact.name) &&
        !("value" in fact) &&
        [fact.left, fact.right].every((x) => typeof x === "number" || known.has(x)),
    );
    found = next !== undefined;
    if (next === undefined) break;
    known.add(next.name);
    hops.push(next.name);
  }
  return new Map(solve({ ...rest, facts, modulus, hops }).map((step) => [step.name, step]));
}
