import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ablate } from "../../../../src/node/ablations/ablate.js";
import { planAblation } from "../../../../src/node/ablations/plan-file.js";
import type { StageEvent } from "../../../../src/node/ablations/stages/run-stages.js";
import type { Worker } from "../../../../src/node/ablations/stages/workers.js";
import type { RunConfig } from "../../../../src/config/index.js";
import { lineOf } from "../../../../src/node/logs/log-file.js";
import { tinyConfig } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const trainer = { type: "sft", steps: 90, batchSize: 2 };
const file = (changes: object = {}, evaluation: object = { every: 10, rows: 2 }) => {
  const folder = temporaryFolder();
  const path = join(folder, "sweep.json");
  const run = tinyConfig("unused", { trainer, evaluation });
  const stop = { metric: "heldOut.loss", direction: "lowest", minSteps: 10 };
  const vary = { "trainer.learningRate": [0.1, 0.2, 0.3, 0.4] };
  writeFileSync(path, JSON.stringify({ name: "sweep", seeds: 1, run, vary, stop, ...changes }));
  return { path, folder: join(folder, "out") };
};

async function aborted(signal: AbortSignal | undefined): Promise<void> {
  while (signal?.aborted !== true) await setTimeout(5);
}

/** Runs whose loss is their learning rate; one that is better than the last goes on, others wait to be ended. */
function scripted(log: string[]): Worker {
  return async (stage, { signal, onStep }) => {
    const { trainer: settings } = stage.config as RunConfig;
    const loss = settings.learningRate;
    log.push(`+${loss}`);
    mkdirSync(stage.folder, { recursive: true });
    const path = join(stage.folder, "metrics.jsonl");
    for (let step = 10; step <= settings.steps; step += 10) {
      if (signal?.aborted === true) return { type: "done" };
      const row = { type: "evaluation", step, values: { "heldOut.loss": loss } } as const;
      appendFileSync(path, `${JSON.stringify(lineOf(row))}\n`);
      onStep(step);
      // A run that the rule is about to end gives it the time to look.
      if (loss > 0.1) await aborted(signal);
    }
    writeFileSync(
      join(stage.folder, "summary.json"),
      JSON.stringify({ final: { "heldOut.loss": loss } }),
    );
    writeFileSync(join(stage.folder, stage.mark), "{}");
    return { type: "done" };
  };
}

const quiet = { command: "test", processes: 1, drawings: false };

describe("an ablation that stops what is not among the best", () => {
  test("ends those runs, says so, and never makes them again", async () => {
    const { path, folder } = file();
    const plan = await planAblation(path, [], { folder });
    const log: string[] = [];
    const events: StageEvent[] = [];
    const report = (event: StageEvent) => void events.push(event);
    const options = { ...quiet, plan, worker: scripted(log), report };
    const results = await ablate(options);
    expect(log).toEqual(["+0.1", "+0.2", "+0.3", "+0.4"]);
    expect(results.stopped).toEqual(
      [
        [0.2, 0.1],
        [0.3, 0.1],
        // Of four values the best two go on.
        [0.4, 0.2],
      ].map(([value, cutoff]) => ({
        ...{ arm: `learningRate=${value}`, seed: 1, step: 10, metric: "heldOut.loss" },
        ...{ value, cutoff },
      })),
    );
    expect(results).toMatchObject({ finished: true, done: 1, failed: [] });
    expect(results.arms["learningRate=0.2"]).toEqual({});
    expect(events.filter(({ type }) => type === "stopped")).toHaveLength(3);
    const report2 = readFileSync(join(folder, "report.md"), "utf8");
    expect(report2).toContain("What was ended early");
    expect(report2).toContain("| learningRate=0.4 | 1 | 10 | heldOut.loss | 0.4 | 0.2 |");

    events.length = 0;
    expect(await ablate({ ...options, worker: scripted(log) })).toEqual(results);
    expect(log).toHaveLength(4);
    expect(events.map(({ type }) => type)).toEqual([
      "found",
      ...Array.from({ length: 3 }, () => "stopped"),
    ]);
  });

  test("is another ablation with another rule", async () => {
    const { path, folder } = file();
    const log: string[] = [];
    const options = { ...quiet, worker: scripted(log), report: () => undefined };
    await ablate({ ...options, plan: await planAblation(path, [], { folder }) });
    const text = readFileSync(path, "utf8").replace('"minSteps":10', '"minSteps":20');
    writeFileSync(path, text);
    const other = await planAblation(path, [], { folder });
    await expect(ablate({ ...options, plan: other })).rejects.toThrow(/holds another ablation/);
  });

  test.each([
    [
      { every: 0, rows: 2 },
      /stop\.minSteps: the arm "learningRate=0\.1" is evaluated at its end only/,
    ],
    [
      { every: 15, rows: 2 },
      /evaluated every 15 steps, later than it is compared.*Set evaluation\.every to 10/,
    ],
  ])("is refused where it cannot see: evaluation %j", async (evaluation, message) => {
    const { path, folder } = file({}, evaluation);
    await expect(planAblation(path, [], { folder })).rejects.toThrow(message);
  });
});

test("a sweep draws its arms, which are planned like any others", async () => {
  const vary = { "trainer.learningRate": { low: 0.001, high: 0.1, scale: "log" } };
  const draws = { type: "latin-hypercube", count: 3, seed: 4 };
  const { path, folder } = file({ vary, draws, stop: undefined });
  const plan = await planAblation(path, [], { folder });
  expect(plan.cells.map(({ config }) => config.trainer.learningRate)).toEqual(
    plan.arms.map(({ changes }) => changes["trainer.learningRate"]),
  );
  expect(plan.arms).toHaveLength(3);
  expect(plan.stop).toBeUndefined();
});
