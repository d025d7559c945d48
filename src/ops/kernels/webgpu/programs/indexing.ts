/**
 * WGSL with every `name[index]` of some arrays (one at the least) as what `write` makes of it; indices within the index, too.
 *
 * @param write of the array's name and of the index
 */
export function rewriteIndexing(
  code: string,
  names: readonly string[],
  write: (name: string, index: string) => string,
): string {
  const start = new RegExp(`\\b(${names.join("|")})\\[`, "g");
  let result = "";
  let from = 0;
  for (let found = start.exec(code); found !== null; found = start.exec(code)) {
    const open = found.index + found[0].length;
    const end = closing(code, open);
    const index = rewriteIndexing(code.slice(open, end), names, write);
    result += `${code.slice(from, found.index)}${write(found[1] as string, index)}`;
    from = end + 1;
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
export function closing(code: string, from: number): number {
  let depth = 1;
  for (let at = from; at < code.length; at++) {
    if (code[at] === "[") depth++;
    if (code[at] === "]" && --depth === 0) return at;
  }
  throw new Error("A bracket of a shader does not close.");
}
