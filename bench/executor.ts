/**
 * What handing over a cell costs: `npx tsx bench/executor.ts [cells=10000] [processes=2] [shells=true]`. Cells are a shell that
 * writes three small files with nothing but its builtins; the same shells without the runner are the baseline. With
 * `shells=false` this process writes the files itself: what is left is the runner.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { readRun } from "../src/node/ablations/cell-results.js";
import { runStages, type StageEngine } from "../src/node/ablations/stages/run-stages.js";
import type { PlannedStage } from "../src/node/ablations/stages/stage.js";
import type { CellCommand, Executor } from "../src/node/executors/executor.js";
import { localExecutor } from "../src/node/executors/local.js";

const given = new Map(process.argv.slice(2).map((word) => word.split("=") as [string, string]));
const count = Number(given.get("cells") ?? 10_000);
const processes = Number(given.get("processes") ?? 2);
const hasShells = given.get("shells") !== "false";

const evaluation =
  '{"version":2,"type":"evaluation","step":1,"time":"2026-01-01T00:00:00.000Z","heldOut.loss":1}';
/** What a run leaves, the mark last. */
const files = [
  ["metrics.jsonl", `${evaluation}\n`],
  ["summary.json", '{"final":{"heldOut.loss":1}}'],
  ["cell.json", "{}"],
] as const;

/** Reads its order, writes what a run writes, ends. */
const stub = `IFS= read -r order <"$1"
rest=\${order#*\\"folder\\":\\"}
cd "\${rest%%\\"*}"
${files.map(([name, text]) => `printf '%s' '${text.trimEnd()}' >${name}`).join("\n")}
`.replace("printf '%s' '{\"version", "printf '%s\\n' '{\"version");

const folder = mkdtempSync(join(tmpdir(), "pupil-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const program = join(folder, "stub.sh");
writeFileSync(program, stub);

function stagesIn(place: string, length: number): PlannedStage[] {
  return Array.from({ length }, (_, i) => {
    const id = (i * 2_654_435_761).toString(16).padStart(16, "0").slice(-16);
    const path = join(place, "cells", `arm-seed-${i}`);
    mkdirSync(path, { recursive: true });
    return {
      ...{ kind: "run", name: "run", seed: i, id, folder: path, mark: "cell.json" },
      ...{ needs: [], arms: ["arm"], config: { trainer: { steps: 1, batchSize: 1 } } },
    } as unknown as PlannedStage;
  });
}

const seconds = (from: number) => (performance.now() - from) / 1000;
const megabytes = () => Math.round(process.memoryUsage().rss / 2 ** 20);
const say = (what: string, value: string) => console.log(`${what.padEnd(52)}${value}`);

/** The same shells, as many at once, by a loop that does nothing else. */
async function baseline(length: number): Promise<number> {
  const place = join(folder, "baseline");
  const stages = stagesIn(place, length);
  for (const [i, stage] of stages.entries()) {
    writeFileSync(join(place, `${i}.json`), JSON.stringify({ stage }));
  }
  const began = performance.now();
  let next = 0;
  const work = async () => {
    while (next < length) {
      const words = [program, join(place, `${next++}.json`)];
      const child = spawn("/bin/sh", words, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
      await new Promise((resolve) => child.once("close", resolve));
    }
  };
  await Promise.all(Array.from({ length: processes }, work));
  return (1000 * seconds(began)) / length;
}

/** Does what the shells do, at once. */
function withoutShells(): Executor {
  const write = ({ folder: place }: CellCommand) => {
    for (const [name, text] of files) writeFileSync(join(place, name), text);
  };
  return {
    ...localExecutor({ processes }),
    submit(cells) {
      for (const cell of cells) write(cell);
      return Promise.resolve(cells.map(({ id }) => id));
    },
    states: (jobs) => Promise.resolve(new Map(jobs.map((job) => [job, { type: "ended" }]))),
    changed: () => Promise.resolve(),
  };
}

const [cpu] = cpus();
say("processor, load before", `${cpu?.model ?? "?"}, ${loadavg()[0]?.toFixed(1)}`);
const alone = hasShells ? await baseline(Math.min(count, 1000)) : undefined;
const stages = stagesIn(folder, count);
const memory: string[] = [];
const shares: string[] = [];
let done = 0;
/** CPU of this process without its children, in ms. */
const cpuMs = (since: NodeJS.CpuUsage) => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
};
const engine: StageEngine = {
  executor: hasShells ? localExecutor({ processes }) : withoutShells(),
  ...{ fields: {}, command: ["/bin/sh", program], retries: 0 },
};
const run = () =>
  runStages(stages, {
    ...{ folder, processes, engine },
    report: ({ type }) => {
      if (type === "failed") throw new Error("A stub failed.");
      const fifth = Math.ceil(count / 5);
      if (type !== "done" || ++done % fifth !== 0) return;
      memory.push(`${done}: ${megabytes()}`);
      shares.push((cpuMs(share) / fifth).toFixed(2));
      share = process.cpuUsage();
    },
  });
const cpuBefore = process.cpuUsage();
let share = cpuBefore;
const began = performance.now();
await run();
const wall = (1000 * seconds(began)) / count;
const whole = cpuMs(cpuBefore);
say(`${count} cells, ${processes} at once: ms a cell`, wall.toFixed(2));
if (alone !== undefined) {
  say("the same shells without the runner: ms a cell", alone.toFixed(2));
  say("difference: ms a cell", (wall - alone).toFixed(2));
}
say("CPU of the runner itself: ms a cell", (whole / count).toFixed(2));
say("the same, of each fifth of the cells", shares.join(", "));
say("resident memory in MB after cells", memory.join(", "));
const again = performance.now();
await run();
say("a second start, which finds them all: seconds", seconds(again).toFixed(2));
const reading = performance.now();
for (const stage of stages) await readRun(stage.folder);
say("reading all results: seconds", seconds(reading).toFixed(2));
