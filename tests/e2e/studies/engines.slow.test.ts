/**
 * Ablations on engines that really run, for developers: `scripts/servers/slurm-one-node.sh start` and `scripts/servers/ray-one-node.sh start`
 * start them on this machine and print what to export. What another engine did is told by the journal.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { tinyConfig } from "../../setup/runs/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { runCli } from "../cli/cli-process.js";

const hasSlurm = spawnSync("sinfo", ["--noheader"], { timeout: 20_000 }).status === 0;
const hasRay = (process.env["RAY_ADDRESS"] ?? "") !== "";

const trainer = { type: "sft", steps: 6, batchSize: 4 };
const file = {
  name: "rates",
  run: tinyConfig("unused", { trainer, evaluation: { every: 3, rows: 4 } }),
  arms: { slow: {}, fast: { "trainer.learningRate": 0.1 } },
  seeds: 2,
};

function folderWith(): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "rates.json"), JSON.stringify(file));
  return folder;
}

interface Row {
  readonly type: string;
  readonly cells?: readonly string[];
  readonly jobs?: readonly string[];
}

const rowsOf = (folder: string) =>
  readFileSync(join(folder, "ablations/rates/jobs.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);

const armsOf = (folder: string) =>
  (
    JSON.parse(readFileSync(join(folder, "ablations/rates/results.json"), "utf8")) as {
      arms: object;
    }
  ).arms;

let ofThisMachine: Promise<object> | undefined;
/** What processes of this machine find. */
async function expected(): Promise<object> {
  const folder = folderWith();
  const { code, stderr } = await runCli(["ablate", "rates.json"], folder);
  expect(code, stderr).toBe(0);
  return armsOf(folder);
}

async function sameAsHere(words: readonly string[]): Promise<Row[]> {
  const folder = folderWith();
  const { code, stderr } = await runCli(["ablate", "rates.json", ...words], folder);
  expect(code, stderr).toBe(0);
  ofThisMachine ??= expected();
  expect(armsOf(folder)).toEqual(await ofThisMachine);
  const rows = rowsOf(folder);
  const again = await runCli(["ablate", "rates.json", ...words], folder);
  expect(again.code).toBe(0);
  const later = rowsOf(folder).slice(rows.length);
  expect(later.map(({ type }) => type)).toEqual(["runner", "closed"]);
  return rows;
}

const timeout = 600_000;

describe.skipIf(!hasSlurm)(
  "Slurm (needs a cluster: scripts/servers/slurm-one-node.sh start)",
  () => {
    test("runs an ablation as one array, to the same numbers", { timeout }, async () => {
      const words = ["executor=slurm", "slurm.cellsPerTask=2", "slurm.poll=1", "slurm.time=30"];
      const rows = await sameAsHere(words);
      const submitted = rows.filter(({ type }) => type === "submitted");
      expect(submitted).toHaveLength(1);
      expect(submitted[0]?.cells).toHaveLength(4);
      expect(new Set(submitted[0]?.jobs).size).toBe(2);
    });

    test("says what sbatch says of a partition that there is not", { timeout }, async () => {
      const words = ["executor=slurm", "slurm.partition=no-such-partition"];
      const { code, stderr } = await runCli(["ablate", "rates.json", ...words], folderWith());
      expect(stderr).toMatch(/error: slurm: sbatch refused: .*partition/i);
      expect(code).toBe(1);
    });
  },
);

describe.skipIf(!hasRay)("Ray (needs RAY_ADDRESS: scripts/servers/ray-one-node.sh start)", () => {
  test("runs an ablation, a job per run, to the same numbers", { timeout }, async () => {
    const rows = await sameAsHere(["executor=ray", "ray.poll=1"]);
    const jobs = rows.flatMap(({ type, jobs: names }) =>
      type === "submitted" ? (names ?? []) : [],
    );
    expect(new Set(jobs).size).toBe(4);
  });

  test("brings results back with the log, where no folder is shared", { timeout }, async () => {
    await sameAsHere(["executor=ray", "ray.poll=1", "ray.results=logs"]);
  });
});

describe("without an engine", () => {
  test.each<[string, readonly string[], RegExp]>([
    ["an executor that there is not", ["executor=slrum"], /executor: .*Did you mean "slurm"/],
    ["no sbatch", ["executor=slurm"], /executor: there is no sbatch in PATH/],
    ["no address", ["executor=ray"], /executor: the environment has no RAY_ADDRESS/],
    [
      "a field of another one",
      ["executor=ray", "slurm.time=3"],
      /slurm: executor=ray does not know it/,
    ],
    ["a field that there is not", ["executor=slurm", "slurm.tim=3"], /slurm\.tim is not a field/],
  ])("%s is told before anything runs", async (_what, words, message) => {
    const { PATH: _path, RAY_ADDRESS: _address, ...env } = process.env;
    const bare = { ...env, PATH: "/nowhere" };
    const { code, stderr } = await runCli(["ablate", "rates.json", ...words], folderWith(), bare);
    expect(stderr).toMatch(message);
    expect(code).toBe(1);
  });
});
