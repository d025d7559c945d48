import type { Products } from "./products.js";

/** `left * right`; both operands have `digits` digits. */
export interface MultiplicationProblem {
  readonly left: number;
  readonly right: number;
  readonly digits: number;
  /** Whether there are spaces between digits. */
  readonly spaces: boolean;
}

export const styles = ["products", "direct"] as const;

/** A number with its last digit first, zeros behind it up to `length` digits. */
export function digitsOf(value: number, length: number): string {
  return Array.from(String(value).padStart(length, "0")).reverse().join(" ");
}

export function writeTrace(
  { digits, spaces }: Pick<MultiplicationProblem, "digits" | "spaces">,
  { partials, shifts, sums, product }: Products,
  style: (typeof styles)[number],
): string {
  const parts = partials.map((partial, i) => {
    const zeros = "0 ".repeat(shifts[i] as number);
    const written = zeros + digitsOf(partial, digits + 1);
    // The first needs no sum, and the last one's is the product.
    const isBetween = i > 0 && i < digits - 1;
    const sum = isBetween ? ` ( ${digitsOf(sums[i - 1] as number, digits + 1 + i)} )` : "";
    return written + sum;
  });
  const answer = `#### ${digitsOf(product, 2 * digits)}`;
  const text = style === "direct" ? answer : `${parts.join(" + ")} ${answer}`;
  return spaces ? text : text.replaceAll(" ", "");
}

/** The number behind the last `####`, written with its last digit first. */
export function readAnswer(completion: string): string | undefined {
  const digits = /####((?: ?\d)+)$/.exec(completion)?.[1]?.replaceAll(" ", "");
  if (digits === undefined) return undefined;
  return Array.from(digits)
    .reverse()
    .join("")
    .replace(/^0+(?=\d)/, "");
}
