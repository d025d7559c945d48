/**
 * One line for all tests that were skipped for one reason: `skipped 362: WebGPU (needs …)`. The reason is
 * in the title of the block that was skipped, in brackets; a test without one stands by its own name.
 *
 * @param tests titles of each test, from the outermost block to the test itself
 */
export function skippedLines(tests: readonly (readonly string[])[]): string[] {
  const counts = new Map<string, number>();
  for (const titles of tests) {
    const reason =
      titles.find((title) => title.includes("(needs ")) ??
      titles.find((title) => title.endsWith(")")) ??
      titles.join(" > ");
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].map(([reason, count]) => `skipped ${count}: ${reason}`);
}
