/**
 * Pictures of every screen of the playground, wide and narrow, light and dark, by a headless Chromium; needs a built
 * playground (`npm run playground:build`). The first word is the folder that they are written to, the second one a screen;
 * docs/images has the wide light ones of two.
 */
import { mkdirSync } from "node:fs";
import { chromium, type Page } from "playwright-core";
import { toAddress } from "../../playground/src/training/address.js";
import { type PresetName, presets } from "../../playground/src/training/presets.js";
import { chromiumPath } from "../../tests/setup/pages/browser.js";
import { serveFolder } from "../../tests/setup/pages/playground-site.js";
import {
  type PlaygroundState,
  playgroundStates,
} from "../../tests/setup/pages/playground-states.js";
import { screenSizes, takePictures } from "../docs/take-pictures.js";

const [folder = "playground/dist/screenshots", only] = process.argv.slice(2);
if (chromiumPath === undefined) throw new Error("Pictures need Chromium.");

/** Trains until a step. */
async function trainTo(page: Page, step: number): Promise<void> {
  await page.getByRole("button", { name: "Start", exact: true }).click();
  const there = `Number(document.querySelector(".where b").textContent.replaceAll(",", "")) >= ${step}`;
  await page.waitForFunction(there, undefined, { timeout: 300_000 });
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.waitForTimeout(500);
}

/** A screen that is reached by training a preset, and opening a tab. */
const trained = (preset: PresetName, step: number, tab?: string): PlaygroundState => ({
  settings: presets[preset].settings,
  async reach(page) {
    await trainTo(page, step);
    if (tab !== undefined) await page.getByRole("tab", { name: tab }).click();
  },
});
const state = (name: string) => playgroundStates[name] as PlaygroundState;

const screens: Readonly<Record<string, PlaygroundState>> = {
  "two-modes": trained("two-modes", 300),
  addition: trained("addition", 60),
  loss: trained("text", 40, "A loss of your own"),
  files: trained("text", 40, "Config and files"),
  write: trained("text", 40, "Let it write"),
  start: state("start"),
  "wrong-setting": state("a wrong setting"),
  "wrong-loss": state("a loss that fails"),
  teacher: state("a teacher of one's own"),
};

mkdirSync(folder, { recursive: true });
const site = await serveFolder("playground/dist");
const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
for (const [name, { settings, reach }] of Object.entries(screens)) {
  if (only !== undefined && !name.startsWith(only)) continue;
  for (const [size, [width, height]] of Object.entries(screenSizes)) {
    const context = await browser.newContext({ viewport: { width, height } });
    const page = await context.newPage();
    await page.goto(`${site.url}#${toAddress(settings)}`);
    await page.getByText("ready", { exact: true }).waitFor({ timeout: 60_000 });
    await reach(page);
    await takePictures(page, folder, `${name}-${size}`);
    await context.close();
  }
}
await browser.close();
await site.close();
