import { z } from "zod";

const whole = String.raw`(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)`;
// A sign behind a digit, a letter or a bracket is an operation: 16-3 ends in 3.
const sign = String.raw`(?:(?<![\w.)])[-+\u2212])?`;
const number = String.raw`${sign}(?:${whole}(?:\.\d+)?|(?<!\w)\.\d+)(?:[eE][-+]?\d+|\/\d+)?`;
const onlyNumber = new RegExp(`^${number}$`);

/**
 * The number that a text is, as it is written: with white space, a currency sign, a percent sign and
 * a full stop around it left out; undefined where the text is anything else.
 */
export function numberOf(text: string): string | undefined {
  const bare = text
    .trim()
    .replace(/^([-+\u2212]?)\s*[$\u20ac\u00a3]\s*/, "$1")
    .replace(/\s*%?\.?$/, "");
  return onlyNumber.test(bare) && Number.isFinite(valueOf(bare)) ? bare : undefined;
}

/** The last number in a text, as it is written there. */
export function lastNumberIn(text: string): string | undefined {
  const found = text.match(new RegExp(number, "g")) ?? [];
  return found.findLast((written) => Number.isFinite(valueOf(written)));
}

/** The value of a written number: `-1,234.5`, `3/4`, `2e3`. */
function valueOf(written: string): number {
  const [above = "", below = "1"] = plain(written).split("/");
  return Number(above) / Number(below);
}

function plain(written: string): string {
  return written.replaceAll(",", "").replace("\u2212", "-");
}

/** Options of verifiers that compare numbers. */
export const toleranceFields = {
  absoluteTolerance: z
    .number()
    .min(0)
    .default(0)
    .describe("Numbers that differ by no more than this are the same."),
  relativeTolerance: z
    .number()
    .min(0)
    .default(0)
    .describe("The same as a share of the right answer; the larger of the two counts."),
};

export interface Tolerance {
  readonly absoluteTolerance: number;
  readonly relativeTolerance: number;
}

/**
 * Whether two written numbers are the same: |given − right| ≤ max(absolute, relative · |right|), and
 * a rounding of doubles more. Whole numbers are compared digit by digit where there is no tolerance.
 */
export function isSameNumber(given: string, right: string, tolerance: Tolerance): boolean {
  const { absoluteTolerance, relativeTolerance } = tolerance;
  const isWhole = (written: string) => /^[-+]?\d+$/.test(plain(written));
  const target = valueOf(right);
  const allowed = Math.max(absoluteTolerance, relativeTolerance * Math.abs(target));
  if (allowed === 0 && isWhole(given) && isWhole(right)) {
    const digits = (written: string) => BigInt(plain(written).replace("+", ""));
    return digits(given) === digits(right);
  }
  const rounding = allowed === 0 ? 0 : 4 * Number.EPSILON * Math.max(Math.abs(target), allowed);
  return Math.abs(valueOf(given) - target) <= allowed + rounding;
}
