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
    globalSetup: ["tests/setup/build-kernels.ts"],
    setupFiles: ["tests/setup/guards.ts"],
    reporters: ["default", source("./tests/setup/summary-reporter.ts")],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
