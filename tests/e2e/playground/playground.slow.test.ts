import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unzipSync } from "fflate";
import type { Page } from "playwright-core";
import { describe, expect, test, vi } from "vitest";
import { toAddress } from "../../../playground/src/training/address.js";
import { presets } from "../../../playground/src/training/presets.js";
import type { Settings } from "../../../playground/src/training/settings.js";
import { accessibilityProblems, chromiumPath, openPage } from "../../setup/pages/browser.js";
import { playgroundSite } from "../../setup/pages/served-playground.js";
import { shortRun, withFields } from "../../setup/pages/playground-states.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { runCli } from "../cli/cli-process.js";

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const tab = (page: Page, name: string) => page.getByRole("tab", { name }).click();

/** Trains until the run ends. */
async function trainToEnd(page: Page): Promise<void> {
  await button(page, "Start").click();
  await page.getByText("finished", { exact: true }).waitFor({ timeout: 120_000 });
}

/** Everything that is on the page of how both models see the texts. */
const seen = (page: Page) =>
  page
    .locator(".token")
    .evaluateAll((tokens) => tokens.map((one) => one.getAttribute("aria-label")));

async function downloadBy(page: Page, name: string): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent("download"), button(page, name).click()]);
  const path = join(temporaryFolder(), download.suggestedFilename());
  await download.saveAs(path);
  return path;
}

describe.skipIf(chromiumPath === undefined)(
  "the playground in a browser (needs Chromium)",
  { timeout: 240_000 },
  () => {
    const site = playgroundSite();
    const at = (settings: Settings) => `${site().url}#${toAddress(settings)}`;

    test("two students learn two modes, each in its own way, and the page can be gone through without a mouse", async () => {
      const settings = withFields(presets["two-modes"].settings, { backend: "wasm" });
      const { page, problems } = await openPage(at(settings));
      expect(await page.locator(".ring").count()).toBe(2);
      await button(page, "Start").click();
      const trained = "Number(document.querySelector('.where b').textContent) >= 50";
      await page.waitForFunction(trained, undefined, { timeout: 120_000 });
      await button(page, "Pause").click();
      await page.getByText("ready", { exact: true }).waitFor();
      expect(await accessibilityProblems(page)).toEqual([]);

      // Back to the beginning, where both were the same.
      await page.locator("#scrubber").focus();
      await page.keyboard.press("Home");
      expect(await page.locator(".scrubber output").innerText()).toBe("0");
      const squares = await page
        .locator(".ring > svg")
        .evaluateAll((all) =>
          all.map((one) => one.getAttribute("aria-label")?.split(": ").slice(1).join(": ")),
        );
      expect(squares[0]).toBe(squares[1]);
      await page.keyboard.press("End");

      // Through the tokens with the keys.
      await page.locator(".token[tabindex='0']").first().focus();
      await page.keyboard.press("ArrowRight");
      const token = page.locator(".token:focus");
      expect(await token.getAttribute("aria-pressed")).toBe("true");
      expect(await page.locator(".detail .facts").innerText()).toContain(
        `“${await token.innerText()}”`,
      );
      expect(await page.locator(".likely .push svg").count()).toBeGreaterThan(1);
      // No runtime that nothing here needs, and no teacher that nobody chose.
      expect(site().asked.join(" ")).not.toMatch(/onnx|ort-|safetensors/);
      expect(problems).toEqual([]);
    });

    test("a link makes the same run again, to the last token", async () => {
      const runs: unknown[] = [];
      for (let time = 0; time < 2; time++) {
        const { page, problems } = await openPage(at(shortRun));
        await trainToEnd(page);
        const losses = await page.locator(".legend b").allInnerTexts();
        runs.push({ losses, tokens: await seen(page), address: page.url() });
        expect(problems).toEqual([]);
        await page.context().close();
      }
      expect(runs[1]).toEqual(runs[0]);
    });

    test("the loss is switched, and the same page trains anew", async () => {
      const { page, problems } = await openPage(at(shortRun));
      await page.getByText("ready", { exact: true }).waitFor();
      await page.getByLabel("Loss", { exact: true }).selectOption("generalized-jsd");
      await page.getByLabel("Beta").fill("0.3");
      await page.getByLabel("Beta").blur();
      expect(page.url()).toContain("trainer.loss.0.type=generalized-jsd");
      await page.waitForURL(/trainer\.loss\.0\.beta=0\.3/);
      await page.waitForTimeout(400);
      await page.getByText("ready", { exact: true }).waitFor();
      await trainToEnd(page);
      expect(await page.locator(".where b").innerText()).toBe("50");
      // What cannot be is said, and what is right again goes on.
      await page.getByLabel("Heads", { exact: true }).fill("7");
      await page.getByLabel("Heads", { exact: true }).blur();
      await page.locator(".problem", { hasText: "7 heads do not divide hiddenSize 32" }).waitFor();
      await page.getByLabel("Heads", { exact: true }).fill("2");
      await page.getByLabel("Heads", { exact: true }).blur();
      await page.getByText("ready", { exact: true }).waitFor();
      expect(await page.locator(".problem").count()).toBe(0);
      expect(problems).toEqual([]);
    });

    test("a student leaves as a zip, and writes the same when it comes back", async () => {
      const { page, problems } = await openPage(at(shortRun));
      await trainToEnd(page);
      const write = async () => {
        await tab(page, "Let it write");
        await page.getByLabel("Prompt", { exact: true }).fill("You are ");
        await button(page, "Write").click();
        await page.locator("#completion").waitFor();
        return page.locator("#completion").innerText();
      };
      const text = await write();
      await tab(page, "Config and files");
      const zip = await downloadBy(page, "Save the student");

      // As the command line reads it.
      const folder = temporaryFolder();
      mkdirSync(join(folder, "student"));
      for (const [file, content] of Object.entries(unzipSync(readFileSync(zip)))) {
        writeFileSync(join(folder, file), content);
      }
      const words = [
        "generate",
        join(folder, "student"),
        "You are ",
        "greedy=true",
        "maxNewTokens=17",
      ];
      const { stdout, stderr } = await runCli(words, temporaryFolder());
      expect(stdout, stderr).toContain(text);

      await page.locator("#student-zip").setInputFiles(zip);
      await page.waitForURL(/student\.from=student/);
      await page.waitForTimeout(400);
      await page.getByText("ready", { exact: true }).waitFor();
      expect(await page.locator(".where b").innerText()).toBe("0");
      expect(await write()).toBe(text);
      expect(problems).toEqual([]);
    });

    test("the config of the page is one of pupil train, which trains the same", async () => {
      const { page, problems } = await openPage(at(shortRun));
      await trainToEnd(page);
      const losses = await page.locator(".legend b").allInnerTexts();
      await tab(page, "Config and files");
      const config = await downloadBy(page, "config.json");
      const text = await downloadBy(page, "text.txt");
      const folder = temporaryFolder();
      writeFileSync(join(folder, "config.json"), readFileSync(config));
      writeFileSync(join(folder, "text.txt"), readFileSync(text));
      // The executor that a browser has.
      vi.stubEnv("PUPIL_EXECUTOR", "wasm");
      const { code, stderr } = await runCli(["train", "config.json"], folder);
      vi.unstubAllEnvs();
      expect(code, stderr).toBe(0);
      const steps = readFileSync(join(folder, "runs/text/metrics.jsonl"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, number | string>)
        .filter(({ type }) => type === "step");
      expect(steps).toHaveLength(50);
      const mean = (key: string) => Number(steps.at(-1)?.[key]);
      const [loss, forwardKl, reverseKl] = losses.map(Number);
      expect(mean("loss")).toBeCloseTo(loss as number, 2);
      expect(mean("diagnostics.forwardKl")).toBeCloseTo(forwardKl as number, 2);
      expect(mean("diagnostics.reverseKl")).toBeCloseTo(reverseKl as number, 2);

      // And back: a run's own config is taken by the page.
      const run = readFileSync(join(folder, "runs/text/config.json"), "utf8");
      await page.getByLabel("Paste the config.json of a run").fill(run);
      await button(page, "Take it").click();
      await page.waitForURL(/evaluation\.batchSize=/);
      await page.waitForTimeout(400);
      await page.getByText("ready", { exact: true }).waitFor();
      await trainToEnd(page);
      expect(await page.locator(".legend b").allInnerTexts()).toEqual(losses);
      expect(problems).toEqual([]);
    });

    test("a loss of one's own is checked before it trains, also one that a link brings", async () => {
      const { page, problems } = await openPage(at(shortRun));
      await tab(page, "A loss of your own");
      const source = page.getByLabel("Module of a loss");
      const example = await source.inputValue();
      await source.fill(example.replace("teacher.sub(student)", "student.sub(teacher)"));
      await button(page, "Check it").click();
      await page
        .locator(".checks", { hasText: "not true that it is never negative" })
        .waitFor({ timeout: 120_000 });
      expect(await button(page, "Train with sure-kl").isDisabled()).toBe(true);
      await source.fill(example);
      await button(page, "Check it").click();
      await page.locator(".checks .right").waitFor({ timeout: 120_000 });
      await button(page, "Train with sure-kl").click();
      await page.waitForURL(/@loss=/);
      await page.waitForTimeout(400);
      await page.getByText("ready", { exact: true }).waitFor();
      await trainToEnd(page);
      const link = page.url();
      expect(problems).toEqual([]);

      const other = await openPage(link);
      await other.page.getByText("waits for its loss to be checked").waitFor();
      expect(await button(other.page, "Start").isDisabled()).toBe(true);
      await tab(other.page, "A loss of your own");
      await button(other.page, "Check it").click();
      await other.page.getByText("ready", { exact: true }).waitFor({ timeout: 120_000 });
      await trainToEnd(other.page);
      expect(await seen(other.page)).toHaveLength(0);
      await tab(other.page, "Token by token");
      await tab(page, "Token by token");
      expect(await seen(other.page)).toEqual(await seen(page));
    });
  },
);
