import type { Random } from "../../../tensors/index.js";
import { type ChainProblem, type Fact, lastValue, type Step, solve } from "./problem.js";
import { writePrompt } from "./text.js";

/**
 * The problem with the answer among its facts and a given quantity asked for, solved by inverse
 * operations from the answer back. Only quantities from which sums and differences alone lead to the
 * answer, in one way: products have no inverse modulo the modulus. Undefined where there is none.
 */
export function turnRound(problem: ChainProblem, random: Random) {
  const { facts, hops, modulus } = problem;
  const given = facts.flatMap((fact) => ("value" in fact ? [fact] : []));
  const found = given.flatMap(({ name, value }) => {
    const lines = unwind(problem, name);
    return lines === undefined ? [] : [{ name, value, lines }];
  });
  if (found.length === 0) return undefined;
  const { name, value, lines } = random.pick(found);
  const asked = hops.at(-1) as string;
  const known: Fact = { name: asked, value: lastValue(solve(problem)) };
  const others = facts.filter((fact) => fact.name !== name);
  const turned = { facts: [...others, known], hops: [name], modulus, wording: problem.wording };
  return { prompt: writePrompt(turned), answer: String(value), completion: lines.join("\n") };
}

/** The lines from the answer back to a given quantity; undefined where the way is not single. */
function unwind(problem: ChainProblem, start: string): string[] | undefined {
  const steps = new Map(solve(problem).map((step) => [step.name, step]));
  const facts = new Map(problem.facts.map((fact) => [fact.name, fact]));
  const depends = new Set([start]);
  for (const name of problem.hops) {
    const fact = facts.get(name) as Fact;
    if (!("value" in fact) && [fact.left, fact.right].some((x) => depends.has(String(x)))) {
      depends.add(name);
    }
  }
  const lines: string[] = [];
  let name = problem.hops.at(-1) as string;
  while (name !== start) {
    const fact = facts.get(name);
    const step = steps.get(name);
    if (fact === undefined || step === undefined || "value" in fact) return undefined;
    const isLeft = depends.has(String(fact.left));
    const isRight = depends.has(String(fact.right));
    if (fact.operation === "*" || isLeft === isRight) return undefined;
    const next = String(isLeft ? fact.left : fact.right);
    lines.push(inverse(next, step, isLeft));
    name = next;
  }
  return lines;
}

/** `a = 21 - 4 = 17` for `b = a + 4` with b = 21. */
function inverse(name: string, { left, operation, right, value }: Step, isLeft: boolean): string {
  if (operation === "+") {
    const [known, found] = isLeft ? [right, left] : [left, right];
    return `${name} = ${value} - ${known} = ${found}`;
  }
  return isLeft
    ? `${name} = ${value} + ${right} = ${left}`
    : `${name} = ${left} - ${value} = ${right}`;
}
