import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Random } from "../../src/tensors/index.js";
import type { FaultCounts } from "./disk.js";
import { differingParts, pathOf, remainsOf, tinyConfig } from "./tiny-runs.js";

export interface KillOptions {
  readonly count: number;
  readonly seed: number;
  report(line: string): void;
}

const changes = {
  // Enough steps that a kill falls into any of them.
  trainer: { type: "sft", steps: 40, batchSize: 2, learningRate: 30, schedule: "constant" },
  checkpoint: { every: 3, keep: 2 },
};

/**
 * A run in a process of its own is killed (SIGKILL) at random moments, again and again until it is
 * through; and a second process is started on it while the first one lives. The run ends as one that
 * nothing happened to; of two processes on one folder exactly one trains.
 */
export async function faultKills({ count, seed, report }: KillOptions): Promise<FaultCounts> {
  const folder = mkdtempSync(join(tmpdir(), "pupil-kills-"));
  const random = new Random(seed).stream("kills");
  const problems: string[] = [];
  let kills = 0;
  let runs = 0;
  try {
    const whole = tinyConfig(join(folder, "whole"), changes);
    const begin = performance.now();
    await train(folder, whole).finished;
    const wholeMs = performance.now() - begin;
    while (kills < count) {
      const config = tinyConfig(join(folder, `run-${++runs}`), changes);
      for (let isThrough = false; !isThrough; ) {
        const { child, finished } = train(folder, config);
        const timer = setTimeout(() => child.kill("SIGKILL"), random.uniform() * wholeMs * 1.2);
        const { code, text } = await finished;
        clearTimeout(timer);
        isThrough = code === 0;
        if (code === null) kills++;
        if (code !== 0 && code !== null) problems.push(`run ${runs} ended with ${code}: ${text}`);
        if (code !== 0 && code !== null) break;
      }
      if (!existsSync(join(pathOf(config), "summary.json"))) continue;
      const different = differingParts(remainsOf(config), remainsOf(whole));
      problems.push(...different.map((part) => `run ${runs}: other ${part}`));
      rmSync(config.output, { recursive: true, force: true });
    }
    report(`${kills} kills of ${runs} runs`);
    problems.push(...(await twoProcesses(folder)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  for (const problem of problems) report(`WRONG ${problem}`);
  return { cases: kills + 2, wrong: problems.length };
}

/** A second process on a run that is trained, and two that resume one at once: one of them is refused. */
async function twoProcesses(folder: string): Promise<string[]> {
  const config = tinyConfig(join(folder, "two"), {
    trainer: { ...changes.trainer, steps: 10 ** 6 },
  });
  const problems: string[] = [];
  const first = train(folder, config);
  await folderOf(config, first.child);
  for (const both of [
    () => [first, train(folder, config)],
    () => [train(folder, config), train(folder, config)],
  ]) {
    const processes = both();
    const ended = await Promise.race(processes.map(({ finished }) => finished));
    for (const { child } of processes) child.kill("SIGTERM");
    const codes = (await Promise.all(processes.map(({ finished }) => finished))).map(
      ({ code }) => code,
    );
    const isRefused = ended.code === 1 && ended.text.includes("is training in this run folder");
    // The other one lives until it is asked to end.
    if (isRefused && codes.includes(143)) continue;
    problems.push(`two processes ended with ${codes.join(" and ")}: ${ended.text}`);
  }
  return problems;
}

async function folderOf(config: ReturnType<typeof tinyConfig>, child: ChildProcess): Promise<void> {
  const file = join(pathOf(config), "config.json");
  while (!existsSync(file) && child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Starts or resumes a run by the command line. */
function train(folder: string, config: ReturnType<typeof tinyConfig>) {
  const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
  const path = pathOf(config);
  mkdirSync(config.output, { recursive: true });
  const file = join(config.output, "config.json");
  writeFileSync(file, JSON.stringify(config));
  const words = existsSync(join(path, "config.json")) ? [`resume=${path}`] : [file];
  const tsx = fileURLToPath(import.meta.resolve("tsx"));
  const child = spawn(process.execPath, ["--import", tsx, main, "train", ...words], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const finished = new Promise<{ code: number | null; text: string }>((resolve) => {
    child.once("close", (code) => resolve({ code, text }));
  });
  return { child, finished };
}
