import { PupilError } from "../../errors/index.js";
import type { StepJudgement } from "./define.js";

/**
 * For tasks with one right way of writing: steps judged by their place, against the right solution. A
 * step is right together with what separates it from the one before; separators too many belong to it.
 */
export function judgeParts(completion: string, right: string, pattern: RegExp): StepJudgement[] {
  const expected = partsOf(right, pattern);
  const parts = partsOf(completion, pattern);
  return parts.map(({ start, end }, i) => {
    const behind = parts[i - 1]?.end ?? 0;
    const rightBehind = expected[i - 1]?.end ?? 0;
    const wanted = expected[i];
    const gap = right.slice(rightBehind, wanted?.start ?? rightBehind);
    const isApart = completion.slice(behind, start) === gap;
    const step = wanted && right.slice(wanted.start, wanted.end);
    if (wanted === undefined || isApart) {
      return { start, end, correct: completion.slice(start, end) === step };
    }
    const hasGap = completion.startsWith(gap, behind) && behind + gap.length <= start;
    return { start: hasGap ? behind + gap.length : behind, end, correct: false };
  });
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
