import type { Mutant } from "./mutants.js";

/** Name of the global whose `at(i)` says whether mutant `i` is active, and notes that it was reached. */
export const switchName = "__mutants__";

/**
 * A source with all its mutants in it, each behind a switch: `a < b` becomes
 * `(__mutants__.at(7) ? a <= b : a < b)`, a statement `if (__mutants__.at(8)) { … } else { … }`.
 *
 * @param mutants of this text, with their numbers
 */
export function switchMutants(text: string, mutants: ReadonlyMap<number, Mutant>): string {
  return rewrite(text, 0, text.length, [...mutants]);
}

type Numbered = readonly [number, Mutant];

function rewrite(text: string, start: number, end: number, mutants: readonly Numbered[]): string {
  let [result, position] = ["", start];
  for (const place of outermost(mutants)) {
    const here = mutants.filter(([, m]) => m.start === place.start && m.end === place.end);
    const inside = mutants.filter(
      ([, m]) =>
        place.start <= m.start &&
        m.end <= place.end &&
        !here.some(([, h]) => h === m) &&
        !(m.kind === "insertion" && m.start === place.start),
    );
    const original = rewrite(text, place.start, place.end, inside);
    result += text.slice(position, place.start) + switched(original, here);
    position = place.end;
  }
  return result + text.slice(position, end);
}

function outermost(mutants: readonly Numbered[]): Mutant[] {
  const sorted = mutants
    .map(([, mutant]) => mutant)
    .sort((a, b) => a.start - b.start || Number(isEmpty(b)) - Number(isEmpty(a)) || b.end - a.end);
  const found: Mutant[] = [];
  for (const mutant of sorted) {
    if (mutant.start >= (found.at(-1)?.end ?? 0)) found.push(mutant);
  }
  return found;
}

const isEmpty = ({ start, end }: Mutant) => start === end;

function switched(original: string, mutants: readonly Numbered[]): string {
  let code = original;
  for (const [i, { to, kind }] of mutants) {
    const isActive = `${switchName}.at(${i})`;
    if (kind === "expression") code = `(${isActive} ? ${to} : ${code})`;
    else if (kind === "insertion") code += `if (${isActive}) { ${to} } `;
    else code = `{ if (${isActive}) { ${to} } else { ${code} } }`;
  }
  return code;
}
