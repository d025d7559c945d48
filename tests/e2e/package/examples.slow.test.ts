import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { repository, runCli, runScript } from "../cli/cli-process.js";

test("the example of docs/library.md runs", async () => {
  const folder = temporaryFolder();
  const script = join(repository, "examples/library-example.ts");
  const { code, stdout, stderr } = await runScript(script, [], folder);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const step = (who: string, at: number) => `${who}, step ${at}: [\\w ]*\\d\\.\\d\\d[\\w ]*\n`;
  const teacher = [100, 200].map((at) => step("teacher", at));
  const student = [25, 50, 75, 100].map((at) => step("student", at));
  expect(stdout).toMatch(new RegExp(`^${[...teacher, ...student].join("")}$`));
  expect(readdirSync(join(folder, "my-student"))).toContain("model.safetensors");
});

describe("the example of a loss of one's own", { timeout: 120_000 }, () => {
  const example = "examples/custom-loss";

  test("is proved by check-losses and its golden cases", async () => {
    const { code, stdout } = await runCli(
      ["check-losses", `${example}/renyi-divergence.ts`, `cases=${example}/fixtures/cases.json`],
      repository,
    );
    expect(stdout).toMatch(/\n(\d+) of \1 checks passed\.\n/);
    expect(stdout).toContain("4 of 4 cases within 0.0002.");
    expect(code).toBe(0);
  });

  test("trains a student and goes on", async () => {
    const output = temporaryFolder();
    const few = ["evaluation.every=0", "evaluation.rows=2", "trainer.batchSize=4"];
    const first = await runCli(
      ["train", `${example}/train.json`, `output=${output}`, "trainer.steps=2", ...few],
      repository,
    );
    expect(first.stdout).toMatch(/step 2\/2 {2}renyi-divergence [\d.]+/);
    const run = join(output, "custom-loss");
    const second = await runCli(["train", `resume=${run}`, "trainer.steps=3"], repository);
    expect(second.stdout).toMatch(/step 3\/3 {2}renyi-divergence [\d.]+/);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(readFileSync(join(run, "metrics.jsonl"), "utf8")).toContain('"terms.renyi-divergence":');
  });
});

describe("loops of one's own", { timeout: 120_000 }, () => {
  test.each([
    ["trainer", "short-first", /heldOutLoss \d/],
    ["teacher", "counting", /reverse-kl \d/],
  ])("the example of a %s has a run folder and continues", async (name, run, shown) => {
    const folder = temporaryFolder();
    const script = join(repository, "examples/own-loop", `${name}.ts`);
    const { code, stdout } = await runScript(script, ["2"], folder);
    expect(code).toBe(0);
    expect(stdout).toMatch(shown);
    expect(stdout).toContain(`saved runs/${run}/checkpoints/step-2`);
    const again = await runScript(script, ["2"], folder);
    expect(again.stdout).toContain(`Resuming runs/${run} after step 2.`);
  });
});
