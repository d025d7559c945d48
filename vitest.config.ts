import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^pupil$/, replacement: source("./src/index.ts") },
      { find: /^pupil\/(.+)$/, replacement: source("./src/api/$1.ts") },
    ],
  },
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: ["tests/setup/runner/build-kernels.ts"],
    setupFiles: ["tests/setup/runner/guards.ts"],
    reporters: ["default", source("./tests/setup/runner/summary-reporter.ts")],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    // Files share a process and the modules that it has loaded, for loading is most of what a file costs. What
    // one would leave to the next fails it (tests/setup/runner/guards.ts).
    isolate: false,
    maxWorkers: 2,
  },
});
