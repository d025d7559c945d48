import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { serveView, trainRun } from "../../../src/node/index.js";
import {
  accessibilityProblems,
  chromiumPath,
  layoutShift,
  mostLayoutShift,
  openPage,
  watchLayoutShift,
} from "../../setup/pages/browser.js";
import { tinyRun } from "../../setup/runs/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";

describe.skipIf(chromiumPath === undefined)(
  "a live view in a browser (needs Chromium)",
  { timeout: 240_000 },
  () => {
    test("shows a run from before it begins, while it trains, when it stops, is resumed and is deleted", async () => {
      const root = join(temporaryFolder(), "runs");
      mkdirSync(root);
      const server = await serveView({ folder: root, everyMs: 100 });
      onTestFinished(() => server.close());
      const { page, problems } = await openPage(server.url, { script: watchLayoutShift });
      await page.getByText("There are no runs here yet").waitFor();

      const changes = {
        trainer: { type: "sft", steps: 12, batchSize: 2 },
        ...{ evaluation: { every: 4, rows: 2, traces: 1 }, checkpoint: { every: 4 } },
      };
      const config = tinyRun(root, changes);
      const path = join(root, "tiny");
      /** Trains up to a step, in which the page is looked at, and ends there. */
      const trainUntil = async (last: number, resume: boolean, look: () => Promise<void>) => {
        const stop = new AbortController();
        for await (const event of trainRun({ config, path, resume, signal: stop.signal })) {
          if (event.type !== "step" || event.metrics.step !== last) continue;
          await look();
          stop.abort();
        }
      };
      await trainUntil(5, false, async () => {
        await page.getByRole("link", { name: "tiny" }).click();
        await page.locator(".chip.running").waitFor();
        await page.getByText("5 of 12").waitFor();
        expect(await page.getByRole("img", { name: /^Loss\./ }).count()).toBe(1);
        expect(await accessibilityProblems(page)).toEqual([]);
      });
      await page.locator(".chip.stopped").waitFor();

      // A part that is being used is left alone, the others go on.
      await page.locator(".token:visible").first().focus();
      await trainUntil(9, true, async () => {
        await page.locator(".chip.running").waitFor();
        await page.getByText("9 of 12").waitFor();
        // What has come meanwhile moved nothing that was there: new parts are below, curves have their places.
        expect(await layoutShift(page)).toBeLessThan(mostLayoutShift);
        expect(await page.locator(".heat output").innerText()).toBe("4");
        await page.evaluate("document.activeElement.blur()");
        await page.locator(".heat output", { hasText: "8" }).waitFor();
      });
      await trainUntil(99, true, () => Promise.resolve());
      await page.locator(".chip.finished").waitFor();
      rmSync(path, { recursive: true });
      await page.getByText("gone: the folder was deleted or moved").waitFor();
      // The browser says what answers 404 it got.
      expect(problems.filter((text) => !text.includes("404"))).toEqual([]);
      await server.close();
      await page.getByText("no connection").waitFor();
    });
  },
);
