import type { LossDefinition } from "../define.js";
import type { CheckedLoss } from "./case.js";

/** Something that must be true of a loss, be it from the list or a user's own. */
export interface LossCheck {
  /** What is true, read after the name of the loss: `forward-kl {} … is never negative`. */
  readonly name: string;
  applies(definition: LossDefinition): boolean;
  /** What was found to be wrong; empty if nothing. */
  run(loss: CheckedLoss): Promise<string[]>;
}

export const always = (): boolean => true;

/** How far numbers may be apart: absolute + relative · |expected|. */
export interface Bounds {
  readonly absolute?: number;
  readonly relative?: number;
}

/** One line on the entry that is furthest out of bounds; nothing if none is. */
export function compare(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { absolute = 0, relative = 0 }: Bounds = {},
): string[] {
  if (actual.length !== expected.length) {
    return [`${what}: ${actual.length} numbers, expected ${expected.length}`];
  }
  let worst: { i: number; excess: number } | undefined;
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i] as number, expected[i] as number];
    const bound = absolute + relative * Math.abs(e);
    const error = a === e ? 0 : Math.abs(a - e);
    const excess = Number.isNaN(error) ? Infinity : error - bound;
    if (excess > 0 && (worst === undefined || excess > worst.excess)) worst = { i, excess };
  }
  if (worst === undefined) return [];
  return [`${what}: entry ${worst.i} is ${actual[worst.i]}, expected ${expected[worst.i]}`];
}

/** One line on the first number that is not finite. */
export function expectFinite(what: string, numbers: ArrayLike<number>): string[] {
  const i = Array.from(numbers).findIndex((x) => !Number.isFinite(x));
  return i < 0 ? [] : [`${what}: entry ${i} is ${numbers[i]}`];
}
