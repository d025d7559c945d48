import type { Random } from "../../../tensors/index.js";
import { isSame, isTrue, type LogicProblem, negate, type Statement } from "./statement.js";
import { isEntity, label, write } from "./text.js";

export const styles = ["full", "conclusions", "direct"] as const;
export type Style = (typeof styles)[number];

export const mistakes = ["negation", "leap", "answer"] as const;
export type MistakeKind = (typeof mistakes)[number];

/** The proof line by line in a style, then the answer. */
export function writeProof(
  problem: LogicProblem,
  style: Style,
  { proof, answer } = { proof: problem.proof, answer: isTrue(problem) },
): string {
  const { wording } = problem;
  const isWritten = ({ subject }: Statement) =>
    style === "full" || (style === "conclusions" && isEntity(subject));
  const lines = proof.filter(isWritten).map((step) => writeStep(problem, step));
  return [...lines, label(answer, wording)].join("\n");
}

/** As it is said in the prompt, where it is said there. */
function writeStep({ premises, plural = [], wording }: LogicProblem, step: Statement): string {
  const at = premises.findIndex((premise) => isSame(premise, step));
  return write(step, wording, plural.includes(at));
}

/**
 * A proof with a mistake that gives the wrong answer: a "not" that is lost or made up in the last
 * conclusion (negation), such a conclusion after some of the steps only (leap), or the wrong answer
 * behind a right proof (answer).
 */
export function writeWrongProof(
  problem: LogicProblem,
  style: Style,
  kind: MistakeKind,
  random: Random,
): string {
  const { proof } = problem;
  const answer = !isTrue(problem);
  const wrong = negate(proof.at(-1) as Statement);
  // A step less than the rule of the last hop; the fact stays.
  const kept = kind === "leap" ? 1 + random.integer(proof.length - 2) : proof.length - 1;
  const steps = kind === "answer" ? proof : [...proof.slice(0, kept), wrong];
  return writeProof(problem, style, { proof: steps, answer });
}
