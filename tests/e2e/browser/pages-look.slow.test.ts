import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { serveView } from "../../../src/node/index.js";
import {
  chromiumPath,
  layoutShift,
  lookProblems,
  mostLayoutShift,
  openPage,
  watchLayoutShift,
} from "../../setup/pages/browser.js";
import { tinyConfig } from "../../setup/runs/runs.js";
import { runCli } from "../cli/cli-process.js";

const plan = {
  name: "rates",
  run: tinyConfig("unused", {
    trainer: { type: "sft", steps: 6, batchSize: 2 },
    evaluation: { every: 2, rows: 2, traces: 1 },
  }),
  arms: { slow: {}, "fast, with a long name for its table": { "trainer.learningRate": 0.1 } },
  seeds: 2,
  claim: {
    text: "A higher rate leaves a lower loss.",
    comparisons: [
      {
        ...{ arm: "fast, with a long name for its table", metric: "heldOut.loss" },
        direction: "lower",
      },
    ],
  },
};

describe.skipIf(chromiumPath === undefined)(
  "how an ablation looks (needs Chromium)",
  { timeout: 240_000 },
  () => {
    let root: string;
    beforeAll(async () => {
      root = mkdtempSync(join(tmpdir(), "pupil-look-"));
      writeFileSync(join(root, "rates.json"), JSON.stringify(plan));
      const { code, stderr } = await runCli(["ablate", "rates.json"], root);
      expect(code, stderr).toBe(0);
    }, 240_000);
    afterAll(() => rmSync(root, { recursive: true }));

    test("its report has no fault that axe finds, and nothing beyond the sides", async () => {
      const report = pathToFileURL(join(root, "ablations/rates/report.html")).href;
      const { page, problems } = await openPage(report, { script: watchLayoutShift });
      await page.getByText("A higher rate leaves a lower loss.").first().waitFor();
      expect(await layoutShift(page)).toBeLessThan(mostLayoutShift);
      expect(await lookProblems(page)).toEqual([]);
      expect(problems).toEqual([]);
    });

    test("so do the live view's list, the ablation's page and a run's", async () => {
      const server = await serveView({ folder: root });
      onTestFinished(() => server.close());
      const { page, problems } = await openPage(server.url);
      await page.getByRole("link", { name: "rates" }).first().waitFor();
      expect(await lookProblems(page)).toEqual([]);
      await page.getByRole("link", { name: "rates" }).first().click();
      await page.locator(".chip.finished").first().waitFor();
      expect(await lookProblems(page)).toEqual([]);
      await page.locator("a[href^='/run?']").first().click();
      await page.locator(".token:visible").first().waitFor();
      expect(await lookProblems(page)).toEqual([]);
      expect(problems).toEqual([]);
    });
  },
);
