/**
 * Writes the results of `npm run bench -- --json file` into the parts of docs/performance.md that they
 * have something for: `npx tsx bench/report.ts file.json`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { replaceBlock, reportBlocks } from "./tables/report-block.js";
import type { BenchmarkResults } from "./results.js";

const file = process.argv[2];
if (file === undefined) {
  console.error("npx tsx bench/report.ts file.json");
  process.exit(1);
}
const results = JSON.parse(readFileSync(file, "utf8")) as BenchmarkResults;
const page = fileURLToPath(new URL("../docs/performance.md", import.meta.url));
let text = readFileSync(page, "utf8");
for (const [name, block] of reportBlocks(results)) text = replaceBlock(text, name, block);
writeFileSync(page, text);
