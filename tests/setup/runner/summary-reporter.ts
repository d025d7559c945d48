import type { Reporter, TestCase, TestModule } from "vitest/node";
import { skippedLines } from "./skipped.js";

/** Ends the output with `N passed, N failed, N skipped` alone on a line, and says what was skipped. */
// vitest loads reporters by their default export.
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length };
    const skipped: string[][] = [];
    for (const module of modules) {
      // A failed import or hook leaves its tests unrun, which is no success.
      const suites = [module, ...module.children.allSuites()];
      counts.failed += suites.filter((suite) => suite.errors().length > 0).length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") counts.passed += 1;
        else if (state === "failed") counts.failed += 1;
        else skipped.push(titlesOf(test));
      }
    }
    // After the default reporter's own closing lines.
    process.once("exit", () => {
      for (const line of skippedLines(skipped)) process.stdout.write(`${line}\n`);
      const { passed, failed } = counts;
      process.stdout.write(`${passed} passed, ${failed} failed, ${skipped.length} skipped\n`);
    });
  }
}

/** From the outermost block to the test itself. */
function titlesOf(test: TestCase): string[] {
  const titles = [test.name];
  for (let block = test.parent; block.type === "suite"; block = block.parent) {
    titles.unshift(block.name);
  }
  return titles;
}
