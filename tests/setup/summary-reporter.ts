import type { Reporter, TestModule } from "vitest/node";

/** Ends the output with `N passed, N failed, N skipped` alone on a line, and says what was skipped. */
// vitest loads reporters by their default export.
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const skipped = new Set<string>();
    for (const module of modules) {
      // A failed import or hook leaves its tests unrun, which is no success.
      const suites = [module, ...module.children.allSuites()];
      counts.failed += suites.filter((suite) => suite.errors().length > 0).length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") counts.passed += 1;
        else if (state === "failed") counts.failed += 1;
        else {
          counts.skipped += 1;
          skipped.add(test.fullName);
        }
      }
    }
    // After the default reporter's own closing lines.
    process.once("exit", () => {
      for (const name of skipped) process.stdout.write(`skipped: ${name}\n`);
      const { passed, failed, skipped: count } = counts;
      process.stdout.write(`${passed} passed, ${failed} failed, ${count} skipped\n`);
    });
  }
}
