import { PupilError } from "../../errors/index.js";
import type { StepJudgement } from "./define.js";

/**
 * For tasks with one right way of writing: steps judged by their place, given where each of them
 * stands in the completion and what should stand there.
 */
export function judgeParts(
  completion: string,
  parts: readonly { readonly start: number; readonly end: number }[],
  expected: readonly string[],
): StepJudgement[] {
  return parts.map(({ start, end }, i) => ({
    start,
    end,
    correct: completion.slice(start, end) === expected[i],
  }));
}

/** Where the parts of a text stand that a pattern matches. */
export function partsOf(text: string, pattern: RegExp): { start: number; end: number }[] {
  return [...text.matchAll(pattern)].map(({ 0: part, index }) => ({
    start: index,
    end: index + part.length,
  }));
}

/**
 * What follows a prefix in the first of the right solutions that begins with it.
 *
 * @throws PupilError if none does
 */
export function restOf(solutions: readonly string[], prefix: string): string {
  const found = solutions.find((solution) => solution.startsWith(prefix));
  if (found !== undefined) return found.slice(prefix.length);
  throw new PupilError("no right solution begins with this.", {
    field: "continueFrom: prefix",
    value: prefix,
    remedy: "Cut it off behind the last right step that checkSteps finds.",
  });
}
