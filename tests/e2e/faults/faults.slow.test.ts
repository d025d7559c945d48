import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { faultDisk } from "../../../scripts/faults/disk.js";
import { faultKills } from "../../../scripts/faults/kills.js";
import { type Fault, faults, faultyDisk } from "../../../scripts/faults/faulty-disk.js";
import {
  differingParts,
  pathOf,
  remainsOf,
  runUntil,
  tinyConfig,
} from "../../../scripts/faults/tiny-runs.js";
import { replaceDisk, type RunEvent } from "../../../src/node/index.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";

/** Short forms of `npm run faults`; see docs/reliability.md for the long ones. */
const lines: string[] = [];
const report = (line: string) => void lines.push(line);
const wrong = () => lines.filter((line) => line.startsWith("WRONG"));

test("a disk that fails, writes short or dies with the process, at some of its calls", {
  timeout: 180_000,
}, async () => {
  const { cases } = await faultDisk({ every: 61, report });
  expect(cases).toBeGreaterThan(30);
  expect(wrong()).toEqual([]);
});

test("processes that are killed, and two on one folder", { timeout: 180_000 }, async () => {
  await faultKills({ count: 2, seed: 3, report });
  expect(wrong()).toEqual([]);
});

test("a full disk is said with the last good checkpoint, which is there", async () => {
  const config = tinyConfig(temporaryFolder());
  const full = faults.find(({ name }) => name === "disk full, for good") as Fault;
  let restore = () => undefined as void;
  const fillDisk = ({ type }: RunEvent) => {
    if (type === "checkpoint") restore = replaceDisk((real) => faultyDisk(real, full, 1).disk);
    return false;
  };
  try {
    await expect(runUntil(config, false, fillDisk)).rejects.toThrow(
      /^step \d: .*: cannot be written: the disk is full \(ENOSPC\)\. Make room there\. The last good checkpoint is .*step-2; resume=.* continues from there\.$/,
    );
  } finally {
    restore();
  }
  expect(existsSync(join(pathOf(config), "checkpoints", "step-2", "model.safetensors"))).toBe(true);
});

test("a harness that loses something is noticed", async () => {
  // Otherwise the comparisons above could be of nothing.
  const config = tinyConfig(temporaryFolder());
  await runUntil(config, false);
  const before = remainsOf(config);
  writeFileSync(join(pathOf(config), "metrics.jsonl"), "");
  expect(differingParts(remainsOf(config), before)).toEqual(["metrics"]);
});
