export const mistakes = ["digit", "carry", "shift", "sum"] as const;

/** One wrong number; those after it are made from it. */
export interface Mistake {
  readonly kind: (typeof mistakes)[number];
  /** The partial product, or the addition of it to the ones before. */
  readonly at: number;
  /** Added to the partial product, for a wrong digit. */
  readonly offset: number;
}

/** What is written on the way to a product. */
export interface Products {
  /** `left` times digit i of `right`, without the zeros that its place gives it. */
  readonly partials: readonly number[];
  /** Zeros in front of each partial product, where its last digit comes first. */
  readonly shifts: readonly number[];
  /** Sums of the first 2, 3, … partial products; the last is the product. */
  readonly sums: readonly number[];
  readonly product: number;
}

export function multiply(
  { left, right, digits }: { left: number; right: number; digits: number },
  mistake?: Mistake,
): Products {
  const places = Array.from({ length: digits }, (_, i) => i);
  const isAt = (kind: Mistake["kind"], i: number) => mistake?.kind === kind && mistake.at === i;
  const partials = places.map((i) => {
    const digit = Math.floor(right / 10 ** i) % 10;
    if (isAt("carry", i)) return byDigits(left, (a) => (a * digit) % 10);
    // It stays a number of one digit more than the operand has.
    const offset = isAt("digit", i) ? (mistake?.offset ?? 0) : 0;
    return (left * digit + offset) % 10 ** (digits + 1);
  });
  const shifts = places.map((i) => (isAt("shift", i) ? 0 : i));
  const sums: number[] = [];
  let sum = partials[0] as number;
  for (const i of places.slice(1)) {
    const added = (partials[i] as number) * 10 ** (shifts[i] as number);
    sum = isAt("sum", i)
      ? byDigits(
          Math.max(sum, added),
          (a, place) => (a + digitAt(Math.min(sum, added), place)) % 10,
        )
      : sum + added;
    sums.push(sum);
  }
  return { partials, shifts, sums, product: sum };
}

function byDigits(value: number, change: (digit: number, place: number) => number): number {
  return Array.from(String(value))
    .reverse()
    .reduce((sum, digit, place) => sum + change(Number(digit), place) * 10 ** place, 0);
}

function digitAt(value: number, place: number): number {
  return Math.floor(value / 10 ** place) % 10;
}
