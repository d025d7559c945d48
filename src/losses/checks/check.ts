import type { LossDefinition } from "../define.js";
import type { CheckedLoss } from "./case.js";

/** Something that must be true of a loss, be it from the list or a user's own. */
export interface LossCheck {
  /** What is true, read after the name of the loss: `forward-kl {} … is never negative`. */
  readonly name: string;
  applies(definition: LossDefinition): boolean;
  /** What was measured, right or wrong. */
  run(loss: CheckedLoss): Promise<Finding[]>;
}

/** One thing that a check looked at. */
export interface Finding {
  /** What it is about: `gradient of studentLogits`. */
  readonly what: string;
  /** How far off it is at its worst entry; 0 where only a yes or no was asked. */
  readonly error: number;
  /** What is wrong with it; absent if nothing is. */
  readonly problem?: string;
}

/** Something that is wrong without a measure of how much. */
export function wrong(problem: string): Finding {
  return { what: problem, error: 0, problem };
}

/** What is wrong among the findings, in words. */
export function problemsOf(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ problem }) => problem ?? []);
}

export const always = (): boolean => true;

/** How far numbers may be apart: absolute + relative · |expected|. */
export interface Bounds {
  readonly absolute?: number;
  readonly relative?: number;
}

/** The largest difference; a problem on the entry that is furthest out of bounds, if one is. */
export function compare(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { absolute = 0, relative = 0 }: Bounds = {},
): Finding[] {
  if (actual.length !== expected.length) {
    return [wrong(`${what}: ${actual.length} numbers, expected ${expected.length}`)];
  }
  let largest = 0;
  let worst: { i: number; excess: number } | undefined;
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i] as number, expected[i] as number];
    const bound = absolute + relative * Math.abs(e);
    const error = a === e ? 0 : Math.abs(a - e);
    const excess = Number.isNaN(error) ? Infinity : error - bound;
    largest = Math.max(largest, Number.isNaN(error) ? Infinity : error);
    if (excess > 0 && (worst === undefined || excess > worst.excess)) worst = { i, excess };
  }
  if (worst === undefined) return [{ what, error: largest }];
  const problem = `${what}: entry ${worst.i} is ${actual[worst.i]}, expected ${expected[worst.i]}`;
  return [{ what, error: largest, problem }];
}

/** A problem on the first number that is not finite. */
export function expectFinite(what: string, numbers: ArrayLike<number>): Finding[] {
  const i = Array.from(numbers).findIndex((x) => !Number.isFinite(x));
  return i < 0 ? [{ what, error: 0 }] : [wrong(`${what}: entry ${i} is ${numbers[i]}`)];
}
