import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { startBackend } from "../../src/backend/index.js";
import { nodePlatform } from "../../src/node/index.js";
import { useCpu } from "../setup/backends/backend.js";
import { metricsOf, runToEnd, stepsOf, tinyRun, weightsOf } from "../setup/runs/runs.js";
import { temporaryFolder } from "../setup/temporary-folder.js";

afterEach(useCpu);

test("a reinforce run that was stopped between two updates ends its rollouts, and equals a whole run", async () => {
  await startBackend("wasm", { platform: nodePlatform });
  const folder = temporaryFolder();
  const changes = {
    trainer: {
      ...{ type: "reinforce", steps: 6, batchSize: 2, updatesPerRollout: 2, minibatches: 2 },
      sampler: { type: "plain", samplesPerProblem: 4 },
      rewards: [{ type: "length", shape: "shorter" }],
      reference: "initial",
      loss: [
        { type: "policy-gradient" },
        { type: "sampled-reverse-kl", against: "reference", weight: 0.1 },
      ],
      learningRate: 0.02,
    },
  };
  const whole = tinyRun(join(folder, "whole"), changes);
  const parts = tinyRun(join(folder, "parts"), changes);
  await runToEnd(whole);
  // Checkpoints are due at 3 and 6: that of 3 waits for the end of its rollouts.
  const folders = readdirSync(join(whole.output, whole.name, "checkpoints"));
  expect(folders.sort()).toEqual(["step-4", "step-6"]);
  const first = await runToEnd(parts, { stopAfter: 3 });
  expect(first.at(-1)).toMatchObject({ type: "finished", stopped: true });
  const second = await runToEnd(parts, { resume: true });
  expect(second[0]).toMatchObject({ type: "resumed", step: 4 });

  expect(metricsOf(parts)).toEqual(metricsOf(whole));
  expect(weightsOf(parts, 6).equals(weightsOf(whole, 6))).toBe(true);
  expect(weightsOf(whole, 6).equals(weightsOf(whole, 4))).toBe(false);
  // The reference of a resumed run is the student of step 0, not that of the checkpoint.
  const [atStart, ...after] = stepsOf(parts).map(({ diagnostics }) => diagnostics["referenceKl"]);
  expect(atStart).toBeCloseTo(0, 6);
  expect(after.at(-1)).toBeGreaterThan(1e-6);
  const summary = join(parts.output, parts.name, "summary.json");
  expect(existsSync(summary)).toBe(true);
  expect(JSON.parse(readFileSync(summary, "utf8"))).toMatchObject({ steps: 6 });
});
