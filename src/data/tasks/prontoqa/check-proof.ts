import { isSame, keyOf, type LogicProblem, negate, type Statement } from "./statement.js";
import { isEntity, read } from "./text.js";

/**
 * What a step of a proof is, after Saparov & He 2023, "Language Models Are Greedy Reasoners", §4:
 *
 * - `useful`: follows from the premises and right steps by one rule at most, and is in the gold proof;
 * - `misleading`: the same outside of the gold proof, as on a wrong branch;
 * - `non-atomic`: provable, but by several rules at once;
 * - `skip`: a rule that is not stated and follows from two that are;
 * - `invalid`: does not follow; `unparseable`: states nothing.
 */
export type StepLabel = "useful" | "misleading" | "non-atomic" | "skip" | "invalid" | "unparseable";

export interface ProofStep {
  /** Characters `start` to `end` (exclusive) of the completion. */
  readonly start: number;
  readonly end: number;
  readonly label: StepLabel;
}

export interface ProofCheck {
  /** Without the answer at the end. */
  readonly steps: readonly ProofStep[];
  /** The query, or what contradicts it, is concluded by steps that are useful or misleading. */
  readonly strict: boolean;
  /** The same where steps may also be of the kind `skip`. */
  readonly withSkip: boolean;
  /** The same where steps may also be `non-atomic`. */
  readonly withNonAtomic: boolean;
  /** The same with both. */
  readonly withBoth: boolean;
}

/** Judges every step of a proof, and the proof by the four measures of the paper. */
export function checkProof(problem: LogicProblem, completion: string): ProofCheck {
  const lines = linesOf(completion);
  const proves = (allowed: readonly StepLabel[]) => {
    const { known } = label(problem, lines, allowed);
    const { query } = problem;
    return known.has(keyOf(query)) || known.has(keyOf(negate(query)));
  };
  const strict: StepLabel[] = ["useful", "misleading"];
  return {
    steps: label(problem, lines, strict).steps,
    strict: proves(strict),
    withSkip: proves([...strict, "skip"]),
    withNonAtomic: proves([...strict, "non-atomic"]),
    withBoth: proves([...strict, "skip", "non-atomic"]),
  };
}

/** Sentences, or lines of symbols, without the answer. */
function linesOf(completion: string): { start: number; end: number; text: string }[] {
  const parts = [...completion.matchAll(/[^\s.][^.\n]*\.?/g)].map(({ 0: text, index }) => ({
    ...{ start: index, end: index + text.trimEnd().length, text: text.trimEnd() },
  }));
  return parts.filter(({ text }) => !isAnswer(text));
}

export function isAnswer(text: string): boolean {
  return /^(True|False|T|F)\.?$/.test(text);
}

/** Labels steps one after the other; later ones may build on those whose label is allowed. */
function label(
  problem: LogicProblem,
  lines: ReturnType<typeof linesOf>,
  allowed: readonly StepLabel[],
) {
  // The query is proved only by a step that is written.
  const known = new Set<string>();
  const facts = [...problem.premises];
  const steps = lines.map(({ start, end, text }): ProofStep => {
    const statement = read(text);
    const found = statement ? labelOf(problem, statement, facts) : "unparseable";
    if (statement !== undefined && allowed.includes(found)) {
      known.add(keyOf(statement));
      facts.push(statement);
    }
    return { start, end, label: found };
  });
  return { steps, known };
}

/** @param facts the premises and the steps that were right before */
function labelOf(
  { premises, proof }: LogicProblem,
  statement: Statement,
  facts: readonly Statement[],
): StepLabel {
  const isIn = (list: readonly Statement[]) => list.some((other) => isSame(other, statement));
  const own = isIn(proof) ? "useful" : "misleading";
  if (isIn(premises)) return own;
  const said = facts.filter(({ subject }) => subject === statement.subject);
  const inOne = applyRules(said, facts);
  const isRule = !isEntity(statement.subject);
  if (isIn(inOne)) return isRule ? "skip" : own;
  if (isRule) return "invalid";
  let reached = inOne;
  for (;;) {
    const next = applyRules(reached, facts);
    if (isIn(next)) return "non-atomic";
    if (next.length === reached.length) return "invalid";
    reached = next;
  }
}

/** What is said of a subject, and what follows from it by one rule. */
function applyRules(said: readonly Statement[], rules: readonly Statement[]): Statement[] {
  const all = new Map(said.map((statement) => [keyOf(statement), statement]));
  for (const { subject, predicate, negated } of said) {
    if (negated) continue;
    for (const rule of rules) {
      if (rule.subject !== predicate) continue;
      const concluded = { ...rule, subject };
      all.set(keyOf(concluded), concluded);
    }
  }
  return [...all.values()];
}
