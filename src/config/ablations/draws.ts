import { z } from "zod";
import { PupilError } from "../../errors/index.js";
import { Random } from "../../tensors/index.js";

const rangeSchema = z
  .strictObject({
    low: z.number().describe("The smallest value."),
    high: z.number().describe("The largest value."),
    scale: z
      .enum(["linear", "log"])
      .default("linear")
      .describe("Whether values are even, or their logarithms are."),
    integer: z.boolean().default(false).describe("Whole numbers only, both ends included."),
  })
  .refine(({ low, high }) => low < high, { message: "`low` is not below `high`" })
  .refine(({ low, scale }) => scale === "linear" || low > 0, {
    message: "a logarithmic range begins above 0",
  })
  .refine(
    ({ low, high, integer }) => !integer || (Number.isInteger(low) && Number.isInteger(high)),
    { message: "the ends of a range of integers are integers" },
  );

/** What a field takes: values, or a range that values are drawn from. */
export const variedSchema = z.union([z.array(z.unknown()).min(1), rangeSchema]);
export type Varied = z.output<typeof variedSchema>;
type Range = z.output<typeof rangeSchema>;

export const drawsSchema = z
  .strictObject({
    type: z
      .enum(["random", "latin-hypercube"])
      .describe(
        "Independent draws, or such that of every field each of `count` equal parts has one draw.",
      ),
    count: z.int().min(1).describe("How many."),
    seed: z.int().min(0).default(1).describe("Seed of the draws."),
  })
  .describe("Draws arms from what `vary` says, in place of all combinations.");
export type Draws = z.output<typeof drawsSchema>;

/** Digits of a drawn number: it is part of the arm's name, and what is named is what runs. */
const digits = 6;
/** How often a combination that is there already is drawn anew. */
const mostTries = 1000;

/**
 * Combinations of values, the same for the same seed. No combination comes twice.
 *
 * A uniform number u in (0, 1) becomes entry ⌊u·n⌋ of n values; low + u·(high − low), or that of logarithms; of integers
 * the range is one longer, and rounded down. Numbers have six significant digits.
 *
 * Source of the Latin hypercube: McKay, Beckman and Conover 1979.
 *
 * @throws PupilError where there are fewer combinations than draws
 */
export function drawArms(
  vary: Readonly<Record<string, Varied>>,
  { type, count, seed }: Draws,
  source: string,
): Record<string, unknown>[] {
  const fields = Object.entries(vary);
  if (fields.length === 0) {
    throw new PupilError("there is nothing to draw from.", {
      field: `${source}: draws`,
      remedy: 'Give "vary": values or ranges by field.',
    });
  }
  const random = new Random(seed).stream("draws");
  const strata = fields.map(([path]) =>
    type === "random" ? undefined : random.stream("strata", path).permutation(count),
  );
  const drawn: Record<string, unknown>[] = [];
  const known = new Set<string>();
  for (let i = 0; i < count; i++) {
    let attempt = 0;
    for (;;) {
      const values = fields.map(([path, varied], k): [string, unknown] => {
        const u = random.stream(path, i, attempt).uniform();
        const stratum = strata[k]?.[i];
        return [path, valueAt(varied, stratum === undefined ? u : (stratum + u) / count)];
      });
      const key = JSON.stringify(values);
      if (!known.has(key)) {
        known.add(key);
        drawn.push(Object.fromEntries(values));
        break;
      }
      if (++attempt < mostTries) continue;
      throw new PupilError(`finds no draw after the ${i} that there are: they would repeat.`, {
        field: `${source}: draws.count`,
        value: count,
        remedy: "Draw fewer, give wider ranges, or leave `draws` out for all combinations.",
      });
    }
  }
  return drawn;
}

function valueAt(varied: Varied, u: number): unknown {
  if (Array.isArray(varied)) return varied[Math.floor(u * varied.length)];
  return numberAt(varied, u);
}

function numberAt({ low, high, scale, integer }: Range, u: number): number {
  const end = integer ? high + 1 : high;
  const at = scale === "linear" ? low + u * (end - low) : low * Math.exp(u * Math.log(end / low));
  // Rounding may reach the end, which is no value of the range.
  if (integer) return Math.min(high, Math.floor(at));
  return Math.min(high, Math.max(low, Number(at.toPrecision(digits))));
}
