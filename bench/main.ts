/** The benchmark: `npm run bench -- --help`. Everything runs in children of this process, in turn. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { arch, cpus, loadavg, tmpdir, totalmem, type } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../src/errors/index.js";
import { nodeWasmPlatform } from "../src/node/wasm-platform.js";
import { type BenchmarkOptions, type Group, parseArguments, usage } from "./arguments.js";
import { endChildrenWithProcess, LineProcess } from "./contestants/child-process.js";
import { findContestants, hardwareCommand, startContestants } from "./contestants/contestants.js";
import { benchmarkGpu } from "./gpu/main.js";
import { lossPartTable } from "./loss-memory/loss-part-table.js";
import { measureLossParts } from "./loss-memory/loss-parts.js";
import { measureAll } from "./measure.js";
import { type BenchmarkResults, type Hardware, lossTolerance, takesPart } from "./results.js";
import { measureSideBySide } from "./side-by-side.js";
import { resultTables, textTable } from "./tables/tables.js";

async function main(argv: readonly string[]): Promise<void> {
  const options = parseArguments(argv, nodeWasmPlatform.numCores);
  if (options.help) {
    console.log(usage);
    return;
  }
  if (options.gpu) {
    benchmarkGpu(options.gpu);
    return;
  }
  // Without tfjs's advice to install another backend.
  tf.enableProdMode();
  endChildrenWithProcess();
  const folder = mkdtempSync(join(tmpdir(), "pupil-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const results = await run(options, argv, folder);
  const tables = [...resultTables(results), lossPartTable(results)];
  const filled = tables.filter(({ rows }) => rows.length > 0);
  console.log(`\n${filled.map(textTable).join("\n\n")}`);
  for (const skipped of results.skipped) console.log(`\nSkipped: ${skipped}`);
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify(results, null, 1)}\n`);
  }
  checkLosses(results);
}

/** Measured without the contestants. */
const ofOursAlone: readonly Group[] = ["hardware", "loss-memory"];
/** Measured in processes that are started for it. */
const startsProcesses: readonly Group[] = ["startup", "side-by-side", ...ofOursAlone];

async function run(
  options: BenchmarkOptions,
  argv: readonly string[],
  folder: string,
): Promise<BenchmarkResults> {
  const loadBefore = loadavg()[0] as number;
  const compares = options.only.some((group) => !ofOursAlone.includes(group));
  const found = compares ? findContestants(options.threads) : { contestants: [], skipped: [] };
  const { torchVersion, skipped } = found;
  const contestants = found.contestants.filter((contestant) =>
    options.only.some((group) => takesPart(contestant, group)),
  );
  for (const reason of skipped) report(`skipped: ${reason}`);
  warnIfBusy(loadBefore);
  const hardware = options.only.includes("hardware") ? await measureHardware(options) : undefined;
  const needsProcesses = options.only.some((group) => !startsProcesses.includes(group));
  report("starting");
  const processes = await startContestants(needsProcesses ? contestants : []);
  const measured = await measureAll({ contestants, processes, folder, options, report });
  for (const child of processes.values()) child.stop();
  if (options.only.includes("side-by-side") && options.threads > 1) {
    const sideBySide = await measureSideBySide(contestants, options, folder, report);
    measured.measurements.push(...sideBySide);
  }
  const lossParts = options.only.includes("loss-memory")
    ? await measureLossParts(report)
    : undefined;
  return {
    date: new Date().toISOString(),
    machine: {
      cpu: cpus()[0]?.model ?? "unknown",
      cores: nodeWasmPlatform.numCores,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      system: `${type()} ${arch()}`,
      node: process.version,
      ...(torchVersion !== undefined && { torch: torchVersion }),
      loadBefore,
      loadAfter: loadavg()[0] as number,
    },
    command: ["npm run bench", ...(argv.length > 0 ? ["--", ...argv] : [])].join(" "),
    threads: options.threads,
    contestants: contestants.map(({ id, label, threads, only }) => ({
      ...{ id, label, threads },
      ...(only && { only }),
    })),
    skipped,
    ...(hardware && { hardware }),
    ...(lossParts && { lossParts }),
    ...measured,
  };
}

async function measureHardware({ threads }: BenchmarkOptions): Promise<Hardware> {
  report("hardware");
  const [command, ...args] = hardwareCommand(threads);
  return new LineProcess(command, args).next<Hardware>();
}

function checkLosses({ lossDifferences }: BenchmarkResults): void {
  const wrong = Object.entries(lossDifferences).filter(([, value]) => !(value <= lossTolerance));
  if (wrong.length === 0) return;
  const list = wrong.map(([name, value]) => `${name} by ${value.toExponential(1)}`).join(", ");
  throw new Error(`The contestants' losses differ, relative: ${list}. The times mean nothing.`);
}

/** Two threads wait for each other: one busy core spoils the times of whoever has more threads. */
function warnIfBusy(load: number): void {
  if (load < 0.5) return;
  report(`other processes are running (load average ${load.toFixed(1)}): do not trust the times`);
}

function report(what: string): void {
  process.stderr.write(`… ${what}\n`);
}

try {
  await main(process.argv.slice(2));
  process.exit(0);
} catch (error) {
  console.error(error instanceof PupilError ? error.message : error);
  process.exit(1);
}
