import type { StepJudgement } from "../define.js";
import { allSteps, type ChainProblem, type Fact, lastValue, type Step, solve } from "./problem.js";
import { readLine, type Style, styles, takenBack, writeTrace } from "./trace.js";
import { writeEquation } from "./text.js";

interface JudgedLine extends StepJudgement {
  readonly text: string;
  /** The quantity that the line computes rightly. */
  readonly computes?: string;
  /** Whether a trace would be the same without the line. */
  readonly isTalk: boolean;
}

/**
 * Judges a trace line by line. A line is right where its numbers are those of the facts, and where
 * it needs nothing that was not computed rightly before. One that is taken back ("wait") makes one
 * step with what takes it back, and is no mistake.
 */
export function judgeLines(problem: ChainProblem, completion: string): JudgedLine[] {
  const known = new Set(problem.facts.filter((f) => "value" in f).map(({ name }) => name));
  const truth = truthOf(problem);
  const judged: JudgedLine[] = [];
  let start = 0;
  for (const text of completion.split("\n")) {
    const end = start + text.length;
    const line = readLine(text);
    if (text === "") {
      // A break behind the last step is no step.
    } else if (line.kind === "wait") {
      const before = judged.pop();
      const from = before?.start ?? start;
      if (before?.computes !== undefined) known.delete(before.computes);
      judged.push({ start: from, end, text, correct: before !== undefined, isTalk: true });
    } else {
      const { correct, computes } = truth.judge(line, known);
      if (correct && computes !== undefined) known.add(computes);
      const isTalk = line.kind === "check" || line.kind === "fact";
      const what = correct && computes !== undefined ? { computes } : {};
      judged.push({ start, end, text, correct, isTalk, ...what });
    }
    start = end + 1;
  }
  return judged;
}

/** What is right about each kind of line. */
function truthOf(problem: ChainProblem) {
  const steps = allSteps(problem);
  const facts = new Map(problem.facts.map((fact) => [fact.name, fact]));
  const answer = lastValue(solve(problem));
  const isKnown = (fact: Fact | undefined, known: ReadonlySet<string>) =>
    fact !== undefined &&
    ("value" in fact ||
      [fact.left, fact.right].every((x) => typeof x === "number" || known.has(x)));
  const valueOf = (name: string) => {
    const fact = facts.get(name);
    return fact !== undefined && "value" in fact ? fact.value : steps.get(name)?.value;
  };
  const judge = (
    line: ReturnType<typeof readLine>,
    known: ReadonlySet<string>,
  ): { correct: boolean; computes?: string } => {
    switch (line.kind) {
      case "step": {
        const { name } = line.step;
        const right = steps.get(name);
        const correct = right !== undefined && isSameStep(line.step, right);
        return { correct: correct && isKnown(facts.get(name), known), computes: name };
      }
      case "value": {
        const correct = valueOf(line.name) === line.value;
        return { correct: correct && isKnown(facts.get(line.name), known), computes: line.name };
      }
      case "check":
        return { correct: valueOf(line.name) === line.value };
      case "fact":
        return { correct: problem.facts.some((fact) => writeEquation(fact) === line.fact) };
      case "answer":
        return { correct: line.value === answer };
      default:
        return { correct: false };
    }
  };
  return { judge };
}

/** Sums and products may be written the other way round. */
function isSameStep(given: Step, right: Step): boolean {
  if (given.operation !== right.operation || given.value !== right.value) return false;
  const same = given.left === right.left && given.right === right.right;
  const swapped = given.left === right.right && given.right === right.left;
  return same || (swapped && given.operation !== "-");
}

/** Whether a completion is what the oracle writes without errors, in any style and with any talk. */
export function isRightTrace(problem: ChainProblem, completion: string): boolean {
  const traces = styles.map((style) => writeTrace(solve(problem), style));
  if (traces.includes(completion)) return true;
  const lines = judgeLines(problem, completion);
  const plain = lines.filter(({ isTalk }) => !isTalk).map(({ text }) => text);
  return (
    lines.every(({ correct }) => correct) &&
    !completion.endsWith("\n") &&
    traces.includes(plain.join("\n"))
  );
}

/**
 * What is left to write behind a prefix: its wrong lines count as not written. In the style of its
 * last step, or else in the given one.
 */
export function restOfTrace(problem: ChainProblem, prefix: string, style: Style): string {
  const lines = judgeLines(problem, prefix);
  const computed = new Set(lines.flatMap(({ computes }) => computes ?? []));
  const used = lines.map(({ text }) => styleOf(text)).findLast((found) => found !== undefined);
  const steps = solve(problem).filter(({ name }) => !computed.has(name));
  const hasAnswer = lines.some(({ text, correct }) => correct && readLine(text).kind === "answer");
  if (steps.length === 0 || hasAnswer) return "";
  const rest = writeTrace(steps, used ?? style);
  return prefix === "" || prefix.endsWith("\n") ? rest : `\n${rest}`;
}

function styleOf(line: string): Style | undefined {
  if (line === takenBack) return undefined;
  const { kind } = readLine(line);
  if (kind === "value") return "terse";
  if (kind !== "step") return undefined;
  return line.includes(" ") ? "full" : "compact";
}
