/**
 * Runs every method as small as it gets, in this process: whether its stages fit together, and whether
 * report and costs have their shape. It tells nothing of claims. `npm run ablations:smoke [-- names]`.
 */
import { readFileSync, rmSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MethodDefinition, methodDefinitions } from "../../src/methods/index.js";
import { ablate, type AblationResults, inThisProcess, planMethod } from "../../src/node/index.js";

const names = process.argv.slice(2);
const chosen = methodDefinitions.filter(({ name }) => names.length === 0 || names.includes(name));
const folder = mkdtempSync(join(tmpdir(), "pupil-smoke-"));
const began = performance.now();
let faults = 0;

for (const method of chosen) {
  const start = performance.now();
  const found = await check(method).catch((error: unknown) => [String((error as Error).stack)]);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${method.name}: ${found.length === 0 ? "ok" : "FAILED"}, ${seconds} s`);
  for (const fault of found) console.log(`  ${fault}`);
  faults += found.length;
}
rmSync(folder, { recursive: true });
const total = ((performance.now() - began) / 1000).toFixed(1);
console.log(`${chosen.length} methods, ${faults} faults, ${total} s`);
process.exitCode = faults === 0 && chosen.length > 0 ? 0 : 1;

/** What is wrong with a method. */
async function check(method: MethodDefinition): Promise<string[]> {
  const place = join(folder, method.name);
  const plan = await planMethod(method, [], { folder: place, seeds: 1, smoke: true });
  const results = await ablate({
    ...{ plan, command: `pupil ablate ${method.name}`, processes: 1, drawings: false },
    worker: inThisProcess(),
    report: () => undefined,
  });
  return [
    ...results.failed.map(({ arm, message }) => `${arm}: ${message}`),
    ...(results.failed.length > 0 ? [] : faultsOf(results, place)),
  ];
}

function faultsOf(results: AblationResults, place: string): string[] {
  const arms = Object.entries(results.arms);
  const withoutMeasures = arms.filter(([, metrics]) => Object.keys(metrics).length === 0);
  const free = Object.entries(results.cost).filter(
    ([, { steps, seconds }]) => !(steps > 0 && seconds > 0),
  );
  const report = readFileSync(join(place, "report.md"), "utf8");
  const parts = ["Claim: ", "## What a result cost", "## Settings beside the paper's"];
  return [
    ...(results.finished ? [] : ["it is unfinished"]),
    ...(results.verdict === undefined ? ["it has no verdict"] : []),
    ...withoutMeasures.map(([arm]) => `the arm "${arm}" has no measures`),
    ...free.map(([arm]) => `the arm "${arm}" cost nothing`),
    ...parts.filter((part) => !report.includes(part)).map((part) => `the report lacks "${part}"`),
  ];
}
