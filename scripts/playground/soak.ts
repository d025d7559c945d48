/**
 * Trains in the playground for long and writes a line a minute of what page and worker hold after their garbage has been
 * collected; needs a built playground (`npm run playground:build`) and Linux. Every `change` minutes the
 * loss is another one, so that models, optimizer and rows are made anew.
 */
import { chromium } from "playwright-core";
import { toAddress } from "../../playground/src/training/address.js";
import { type PresetName, presets } from "../../playground/src/training/presets.js";
import { chromiumPath } from "../../tests/setup/pages/browser.js";
import { serveFolder } from "../../tests/setup/pages/playground-site.js";
import { withFields } from "../../tests/setup/pages/playground-states.js";
import { wordsOf } from "./arguments.js";
import { memoryProbe } from "./memory-probe.js";

const words = wordsOf({
  minutes: "30",
  preset: "two-modes",
  steps: "60000",
  change: "10",
  built: "playground/dist",
});
if (chromiumPath === undefined) throw new Error("This needs Chromium.");
const { settings } = presets[words.preset as PresetName];
const wanted = withFields(settings, { backend: "wasm", "trainer.steps": Number(words.steps) });

const site = await serveFolder(words.built);
const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
page.on("pageerror", ({ message }) => console.log(`error: ${message}`));
await page.goto(`${site.url}#${toAddress(wanted)}`);
await page.getByText("ready", { exact: true }).waitFor({ timeout: 60_000 });
const sample = await memoryProbe(browser, page);
const button = (name: string) => page.getByRole("button", { name, exact: true });
await button("Start").click();

const said = (value: number) => value.toFixed(1);
console.log(
  "minute, step, MB of page, MB of worker, tensors, MB of tensors, MB resident, nodes, listeners",
);
const losses = ["forward-kl", "generalized-jsd", "reverse-kl"];
for (let minute = 1; minute <= Number(words.minutes); minute++) {
  await page.waitForTimeout(60_000);
  const step = await page.locator(".where b").innerText();
  const m = await sample();
  const sizes = [m.pageHeap, m.workerHeap].map(said);
  const rest = [said(m.tensorBytes), said(m.resident), m.nodes, m.listeners];
  console.log([minute, step.replaceAll(",", ""), ...sizes, m.tensors, ...rest].join(", "));
  if (minute % Number(words.change) !== 0) continue;
  const next = losses[(minute / Number(words.change)) % losses.length] as string;
  // What runs goes on with the new settings.
  await page.getByLabel("Loss", { exact: true }).first().selectOption(next);
  await page.getByText("training", { exact: true }).waitFor({ timeout: 60_000 });
}
await browser.close();
await site.close();
