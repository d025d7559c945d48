/** An assignment to an entry of an array: `name[index] += value`, with `+` as the operator, which may be none. */
export interface Assignment {
  readonly name: string;
  readonly index: string;
  readonly operator: string;
  readonly value: string;
}

/**
 * WGSL with every `name[index]` of some arrays (one at the least) as what `use` makes of it; indices within the index, too.
 *
 * @param use of the array's name and of the index
 * @param assign makes something of a whole assignment to an entry; without it the entry alone is rewritten there, too
 */
export function rewriteIndexing(
  code: string,
  names: readonly string[],
  use: (name: string, index: string) => string,
  assign?: (assignment: Assignment) => string,
): string {
  const within = (part: string) => rewriteIndexing(part, names, use, assign);
  const start = new RegExp(`\\b(${names.join("|")})\\[`, "g");
  let result = "";
  let from = 0;
  for (let found = start.exec(code); found !== null; found = start.exec(code)) {
    const open = found.index + found[0].length;
    const end = closing(code, open);
    const [name, index] = [found[1] as string, within(code.slice(open, end))];
    result += code.slice(from, found.index);
    from = end + 1;
    const assigned = assign && /^\s*([-+*/]?)=(?!=)/.exec(code.slice(from));
    if (assign && assigned) {
      const first = from + assigned[0].length;
      from = code.indexOf(";", first);
      const value = within(code.slice(first, from).trim());
      result += assign({ name, index, operator: assigned[1] as string, value });
    } else {
      result += use(name, index);
    }
    start.lastIndex = from;
  }
  return result + code.slice(from);
}

/** Whether WGSL uses an array by its entries alone, so that it can be rewritten: no pointer to it or to them, no length of it. */
export function isIndexedOnly(code: string, name: string): boolean {
  // A member of the same name is something else.
  return !new RegExp(`(?<!\\.)\\b${name}\\b(?!\\[)|&\\s*${name}\\b`).test(code);
}

/** Where the bracket closes that was opened just before `from`. */
function closing(code: string, from: number): number {
  let depth = 1;
  for (let at = from; at < code.length; at++) {
    if (code[at] === "[") depth++;
    if (code[at] === "]" && --depth === 0) return at;
  }
  throw new Error("A bracket of a shader does not close.");
}
