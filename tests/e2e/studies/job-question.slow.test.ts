/** Ctrl-C while a cluster has the jobs, at a terminal and without one. The cluster is shell scripts of Slurm's names. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { tinyConfig } from "../../setup/runs/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { repository, startCli } from "../cli/cli-process.js";

const driver = fileURLToPath(new URL("../../setup/at-terminal.py", import.meta.url));
const hasTerminals = spawnSync("python3", ["-c", "import pty"]).status === 0;

/** Says of two tasks what the file `state` says, slowly: Ctrl-C mostly comes while it is at work. */
const programs = {
  sbatch: `[ "$1" = --version ] || { cat >/dev/null; echo 7; }`,
  squeue: `sleep 1; for i in 0 1; do echo "7_$i|$(cat "$here/state")|n1|None"; done`,
  scancel: `echo CANCELLED >"$here/state"`,
  sacct: "exit 1",
  scontrol: "exit 0",
};

/** A folder with an ablation and the cluster's programs, in which all jobs run. */
function scene() {
  const folder = temporaryFolder();
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\nhere=${bin}\n${text}\n`, { mode: 0o755 });
  }
  const state = join(bin, "state");
  writeFileSync(state, "RUNNING\n");
  const file = {
    ...{ name: "rates", run: tinyConfig("unused"), seeds: 1 },
    arms: { slow: {}, fast: { "trainer.learningRate": 0.1 } },
  };
  writeFileSync(join(folder, "rates.json"), JSON.stringify(file));
  const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
  const stateNow = () => readFileSync(state, "utf8").trim();
  return { folder, env, state, stateNow };
}

const words = ["ablate", "rates.json", "executor=slurm", "slurm.poll=0.1", "retries=0"];
const question = "watching\\? \\[l\\] ";

interface Step {
  readonly wait: string;
  readonly after?: number;
  readonly send?: string;
  readonly write?: readonly [string, string];
}

/** What the terminal was shown, and the exit code. */
async function atTerminal({ folder, env }: ReturnType<typeof scene>, steps: readonly Step[]) {
  const tsx = fileURLToPath(import.meta.resolve("tsx"));
  const program = [process.execPath, "--import", tsx, join(repository, "src/cli/main.ts")];
  const child = spawn("python3", [driver, JSON.stringify(steps), ...program, ...words], {
    cwd: folder,
    env: { ...env, TSX_TSCONFIG_PATH: join(repository, "tsconfig.json") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let shown = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (shown += chunk.toString()));
  }
  const code = await new Promise((resolve) => child.once("close", resolve));
  return { code, shown };
}

const interrupt: Step = { wait: "running", after: 0.5, send: "\u0003" };
const timeout = 300_000;

// The first one: it compiles all that is loaded, by tsx's child process, which Ctrl-C at a terminal ends.
test("without a terminal the jobs go on, and nothing is asked", { timeout }, async () => {
  const at = scene();
  const { child, finished } = startCli(words, at.folder, at.env);
  const journal = join(at.folder, "ablations/rates/jobs.jsonl");
  const isSubmitted = () =>
    existsSync(journal) && readFileSync(journal, "utf8").includes('"submitted"');
  while (!isSubmitted()) await new Promise((resolve) => setTimeout(resolve, 100));
  child.kill("SIGINT");
  const { code, stderr } = await finished;
  expect(stderr).toContain("2 jobs go on.");
  expect(stderr).not.toContain("leave them running");
  expect(code).toBe(130);
  expect(at.stateNow()).toBe("RUNNING");
});

describe.skipIf(!hasTerminals)("Ctrl-C at a terminal (needs python3 with pty)", { timeout }, () => {
  test.each([
    ["l", "l\r"],
    ["Enter", "\r"],
    ["Ctrl-C again", "\u0003"],
    ["the end of input", "\u0004"],
  ])("and %s leaves the jobs running", async (_what, send) => {
    const at = scene();
    const { code, shown } = await atTerminal(at, [interrupt, { wait: question, send }]);
    expect(shown).toMatch(/2 jobs go on\.[^]*attach\r\n[^]*cancel, or scancel 7[^]*Continue with/);
    expect(code).toBe(130);
    expect(at.stateNow()).toBe("RUNNING");
    expect(existsSync(join(at.folder, "ablations/rates/report.md"))).toBe(true);
  });

  test("asks until it is answered, shows nothing meanwhile, goes on watching, cancels", async () => {
    const at = scene();
    const { code, shown } = await atTerminal(at, [
      interrupt,
      { wait: question, after: 3, send: "what\r" },
      { wait: question, send: "g\r" },
      interrupt,
      { wait: question, send: "c\r" },
    ]);
    const [, afterFirst = ""] = shown.split(/watching\? \[l\] /);
    expect(afterFirst).not.toContain("runs done");
    expect(afterFirst).toContain("what");
    expect(shown).toContain("Cancelling; the jobs save what they have.");
    expect(shown).toMatch(/slow, seed 1 was cancelled/);
    expect(code).toBe(130);
    expect(at.stateNow()).toBe("CANCELLED");
  });

  test("is no longer asked about once the jobs have ended", async () => {
    const at = scene();
    const { code, shown } = await atTerminal(at, [
      interrupt,
      { wait: question, write: [at.state, "FAILED\n"] },
    ]);
    expect(shown).toMatch(/slow, seed 1 failed: Slurm says FAILED on n1/);
    expect(code).toBe(1);
  });
});
