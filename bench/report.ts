/**
 * Writes the results of `npm run bench -- --json file` into docs/performance.md:
 * `npx tsx bench/report.ts file.json`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { replaceBlock, reportBlock } from "./report-block.js";
import type { BenchmarkResults } from "./results.js";

const file = process.argv[2];
if (file === undefined) {
  console.error("npx tsx bench/report.ts file.json");
  process.exit(1);
}
const results = JSON.parse(readFileSync(file, "utf8")) as BenchmarkResults;
const page = fileURLToPath(new URL("../docs/performance.md", import.meta.url));
writeFileSync(page, replaceBlock(readFileSync(page, "utf8"), reportBlock(results)));
