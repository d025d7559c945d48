import {
  allSteps,
  type ChainProblem,
  compute,
  type Fact,
  lastValue,
  type Operation,
  type Step,
  solve,
} from "../chain/problem.js";
import { writeEquation } from "../chain/text.js";

/** A chain of quantities of which the given ones are told by a tool alone. */
export interface ToolProblem extends ChainProblem {
  /** Actions that a solution may have. */
  readonly maxActions: number;
}

/** A line of an episode. */
export type Line =
  | { readonly kind: "reason"; readonly equation: string }
  | { readonly kind: "look"; readonly name: string }
  | {
      readonly kind: "calc";
      readonly left: number;
      readonly operation: Operation;
      readonly right: number;
    }
  | { readonly kind: "observation"; readonly text: string }
  | { readonly kind: "final"; readonly value: number }
  | { readonly kind: "unknown" };

/** What the world says to an action that it does not understand. */
const noResult = "?";

export function readLine(text: string): Line {
  const [, tag, rest = ""] = /^([RAOF]):(.*)$/.exec(text) ?? [];
  if (tag === "R") return { kind: "reason", equation: rest };
  if (tag === "O") return { kind: "observation", text: rest };
  if (tag === "F" && /^\d+$/.test(rest)) return { kind: "final", value: Number(rest) };
  const name = /^look ([a-z])$/.exec(rest)?.[1];
  if (tag === "A" && name !== undefined) return { kind: "look", name };
  const [, left, operation, right] = /^calc (\d+)([-+*])(\d+)$/.exec(rest) ?? [];
  if (tag !== "A" || operation === undefined) return { kind: "unknown" };
  return {
    kind: "calc",
    ...{ left: Number(left), right: Number(right), operation: operation as Operation },
  };
}

/** What the world says to an action: the value of a given quantity, a result modulo the modulus, or `?`. */
export function observe({ facts, modulus }: ChainProblem, action: Line): string {
  if (action.kind === "calc") {
    return String(compute(action.left, action.operation, action.right, modulus));
  }
  const fact = action.kind === "look" ? facts.find(({ name }) => name === action.name) : undefined;
  return fact !== undefined && "value" in fact ? String(fact.value) : noResult;
}

/** What is said to the action on the last line, which must be whole; undefined where there is none. */
export function respondTo(problem: ToolProblem, completion: string): string | undefined {
  if (!completion.endsWith("\n")) return undefined;
  const line = completion.slice(0, -1).split("\n").at(-1) ?? "";
  if (!line.startsWith("A:")) return undefined;
  return `O:${observe(problem, readLine(line))}\n`;
}

/** A mistake in an episode: where it is made, and what becomes of an action there. */
export interface Slip {
  /** Place among the actions, the final answer included. */
  readonly at: number;
  make(action: Line): Line;
}

/**
 * The lines that are left to write, given what was looked up and computed before. With `reasons`,
 * every hop begins with its equation.
 */
export function writeEpisode(
  problem: ChainProblem,
  { reasons, known, slip }: { reasons: boolean; known: ReadonlyMap<string, number>; slip?: Slip },
): string[] {
  const values = new Map(known);
  const lines: string[] = [];
  let actions = 0;
  const act = (action: Line): string => {
    const taken = slip?.at === actions ? slip.make(action) : action;
    actions += 1;
    lines.push(writeLine(taken));
    if (taken.kind === "final") return "";
    const seen = observe(problem, taken);
    lines.push(`O:${seen}`);
    return seen;
  };
  const valueOf = (operand: string | number) =>
    typeof operand === "number" ? operand : (values.get(operand) ?? 0);
  for (const name of problem.hops) {
    if (values.has(name)) continue;
    const fact = problem.facts.find((f) => f.name === name) as Exclude<Fact, { value: number }>;
    if (reasons) lines.push(`R:${writeEquation(fact)}`);
    for (const operand of new Set([fact.left, fact.right])) {
      if (typeof operand === "number" || values.has(operand)) continue;
      values.set(operand, numberOf(act({ kind: "look", name: operand })));
    }
    const [left, right] = [valueOf(fact.left), valueOf(fact.right)];
    const calc: Line = { kind: "calc", left, operation: fact.operation, right };
    values.set(name, numberOf(act(calc)));
  }
  act({ kind: "final", value: valueOf(problem.hops.at(-1) as string) });
  return lines;
}

/** A quantity that the world does not tell is taken for 0. */
function numberOf(observation: string): number {
  return observation === noResult ? 0 : Number(observation);
}

function writeLine(line: Line): string {
  switch (line.kind) {
    case "look":
      return `A:look ${line.name}`;
    case "calc":
      return `A:calc ${line.left}${line.operation}${line.right}`;
    case "final":
      return `F:${line.value}`;
    default:
      throw new Error(`An episode has no action of the kind ${line.kind}.`);
  }
}

export interface JudgedLine {
  readonly start: number;
  readonly end: number;
  readonly correct: boolean;
}

/** Every line judged, and what is known after the right ones. */
export function judgeEpisode(problem: ToolProblem, completion: string) {
  const steps = allSteps(problem);
  const known = new Map<string, number>();
  const lines: JudgedLine[] = [];
  let start = 0;
  let before: Line = { kind: "unknown" };
  for (const text of completion.split("\n")) {
    const end = start + text.length;
    if (text !== "") {
      const line = readLine(text);
      const correct = isRight(problem, line, { before, known, steps });
      lines.push({ start, end, correct });
      before = line;
    }
    start = end + 1;
  }
  return { lines, known };
}

/** Whether a line is right; what a right observation tells is known from there on. */
function isRight(
  problem: ChainProblem,
  line: Line,
  { before, known, steps }: { before: Line; known: Map<string, number>; steps: Map<string, Step> },
): boolean {
  const { facts, hops } = problem;
  switch (line.kind) {
    case "reason":
      return facts.some((fact) => !("value" in fact) && writeEquation(fact) === line.equation);
    case "look":
      return facts.some((fact) => fact.name === line.name && "value" in fact);
    case "calc":
      return computedBy(line, problem, known, steps).length > 0;
    case "observation": {
      if (before.kind !== "look" && before.kind !== "calc") return false;
      if (line.text !== observe(problem, before)) return false;
      const names =
        before.kind === "look" ? [before.name] : computedBy(before, problem, known, steps);
      if (line.text !== noResult) for (const name of names) known.set(name, Number(line.text));
      return true;
    }
    case "final":
      return known.has(hops.at(-1) as string) && line.value === lastValue(solve(problem));
    default:
      return false;
  }
}

/** The quantities that a calculation computes from what is known. */
function computedBy(
  { left, operation, right }: Extract<Line, { kind: "calc" }>,
  { facts }: ChainProblem,
  known: ReadonlyMap<string, number>,
  steps: ReadonlyMap<string, Step>,
): string[] {
  return facts.flatMap((fact) => {
    const step = steps.get(fact.name);
    if ("value" in fact || step === undefined || step.operation !== operation) return [];
    const isKnown = [fact.left, fact.right].every((x) => typeof x === "number" || known.has(x));
    const same = step.left === left && step.right === right;
    const swapped = operation !== "-" && step.left === right && step.right === left;
    return isKnown && (same || swapped) ? [fact.name] : [];
  });
}
