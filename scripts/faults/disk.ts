import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBackend } from "../../src/backend/index.js";
import type { RunConfig } from "../../src/config/index.js";
import { loadModelFolder, nodePlatform, replaceDisk, type RunEvent } from "../../src/node/index.js";
import { type Fault, faults, type FaultyDisk, faultyDisk, shortWrites } from "./faulty-disk.js";
import {
  checkpointsOf,
  differingParts,
  pathOf,
  remainsOf,
  type RunRemains,
  runUntil,
  tinyConfig,
} from "./tiny-runs.js";

export interface DiskOptions {
  /** Every so many calls one is tried; 1: all. */
  readonly every: number;
  report(line: string): void;
}

/** Counts of what was tried and of what did not end well. */
export interface FaultCounts {
  readonly cases: number;
  readonly wrong: number;
}

/**
 * A small run is trained, killed or refused by the disk at its n-th call that changes a file, and resumed;
 * and the same with a fault while it is resumed. However that went, checkpoints with a complete one's name
 * open, and the run ends with the files, logs, summary and weights of one that nothing happened to.
 */
export async function faultDisk({ every, report }: DiskOptions): Promise<FaultCounts> {
  await startBackend("cpu", { platform: nodePlatform });
  const folder = mkdtempSync(join(tmpdir(), "pupil-faults-"));
  const problems: string[] = [];
  let cases = 0;
  try {
    const whole = await wholeRun(folder);
    const check = async (name: string, run: () => Promise<string[]>) => {
      cases++;
      for (const problem of await run()) problems.push(`${name}: ${problem}`);
      rmSync(join(folder, "case"), { recursive: true, force: true });
    };
    for (const most of [1, 100]) {
      await check(`writes of ${most} bytes`, () => shortWriteCase(folder, most, whole));
    }
    for (const fault of faults) {
      for (const stage of ["training", "resuming"] as const) {
        let n = 1;
        for (let isThrough = false; !isThrough; n += every) {
          await check(`${stage}, call ${n}, ${fault.name}`, async () => {
            const result = await faultCase(folder, { fault, n, stage }, whole);
            isThrough = result.isThrough;
            return result.problems;
          });
        }
        report(`${fault.name}, ${stage}: ${n - every} calls`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  for (const problem of problems) report(`WRONG ${problem}`);
  return { cases, wrong: problems.length };
}

async function wholeRun(folder: string): Promise<RunRemains> {
  const config = tinyConfig(join(folder, "whole"));
  await runUntil(config, false);
  return remainsOf(config);
}

async function shortWriteCase(folder: string, most: number, whole: RunRemains) {
  const config = tinyConfig(join(folder, "case"));
  const restore = replaceDisk((real) => shortWrites(real, most));
  try {
    await runUntil(config, false);
  } finally {
    restore();
  }
  return differingParts(remainsOf(config), whole);
}

interface Case {
  readonly fault: Fault;
  readonly n: number;
  readonly stage: "training" | "resuming";
}

async function faultCase(folder: string, { fault, n, stage }: Case, whole: RunRemains) {
  const config = tinyConfig(join(folder, "case"));
  // Rows of a step behind the last checkpoint, to be dropped.
  if (stage === "resuming") await runUntil(config, false, isStep(3));
  let faulty: FaultyDisk | undefined;
  let error: unknown;
  const restore = replaceDisk((real) => {
    faulty = faultyDisk(real, fault, n);
    return faulty.disk;
  });
  try {
    await runUntil(config, stage === "resuming");
  } catch (thrown) {
    error = thrown;
  } finally {
    restore();
  }
  const { calls, failed } = faulty as FaultyDisk;
  const problems = [
    ...unexplained(error, failed(), fault),
    ...(await brokenCheckpoints(config)),
    ...(await continued(config)),
  ];
  if (problems.length === 0) problems.push(...differingParts(remainsOf(config), whole));
  return { isThrough: calls() < n, problems };
}

const isStep = (step: number) => (event: RunEvent) =>
  event.type === "step" && event.metrics.step === step;

/** What a user would have to guess: an error without a sentence, or a failure that nobody heard of. */
function unexplained(error: unknown, failed: string | undefined, fault: Fault): string[] {
  if (fault.code === "KILLED" || failed === undefined) return [];
  // Whether remains can be removed matters to nobody.
  if (error === undefined) return failed === "remove" ? [] : [`${failed} failed in silence`];
  const { name, message } = error as Error;
  const isClear =
    name === "PupilError" && message.includes(fault.code) && !message.includes("undefined");
  return isClear ? [] : [`unclear error: ${name} ${message}`];
}

/** Whoever opens a folder with the name of a complete checkpoint finds one. */
async function brokenCheckpoints(config: RunConfig): Promise<string[]> {
  const problems: string[] = [];
  for (const path of checkpointsOf(config)) {
    try {
      (await loadModelFolder(path)).model.dispose();
      readFileSync(join(path, "trainer-state.json"));
      readFileSync(join(path, "optimizer.safetensors"));
    } catch (error) {
      problems.push(`${path} does not open: ${String(error)}`);
    }
  }
  return problems;
}

/** What a user does next: resume the run, or start it if it had not begun. */
async function continued(config: RunConfig): Promise<string[]> {
  const path = pathOf(config);
  // The process that held it is this one, which lives on.
  rmSync(join(path, "run.lock"), { force: true });
  try {
    await runUntil(config, existsSync(join(path, "config.json")));
    return [];
  } catch (error) {
    return [`does not go on: ${String(error)}`];
  }
}
