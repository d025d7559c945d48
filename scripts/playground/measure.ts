/**
 * Measures a built playground (`npm run playground:build`) in a headless Chromium: its sizes, the times until it paints and
 * until its first training step, and how regularly it draws while it trains. Of times the middle one of `times` is said.
 */
import { chromium, type Browser } from "playwright-core";
import { toAddress } from "../../playground/src/training/address.js";
import { presets } from "../../playground/src/training/presets.js";
import { chromiumPath } from "../../tests/setup/pages/browser.js";
import { serveFolder } from "../../tests/setup/pages/playground-site.js";
import { withFields } from "../../tests/setup/pages/playground-states.js";
import { wordsOf } from "./arguments.js";
import { playgroundSizes } from "./sizes.js";

const words = wordsOf({ seconds: "20", times: "3" });
if (chromiumPath === undefined) throw new Error("This needs Chromium.");

/** Runs in the page from its beginning: starts as soon as one can, and notes when things happen. */
const watching = `
  globalThis.seen = { longTasks: [], gaps: [], shifts: 0 };
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) seen.longTasks.push([startTime, duration]);
  }).observe({ type: "longtask", buffered: true });
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) seen.shifts += value;
  }).observe({ type: "layout-shift", buffered: true });
  let last;
  const draw = (now) => {
    if (last !== undefined && seen.firstStep !== undefined) seen.gaps.push(now - last);
    last = now;
    const start = document.querySelector(".bar .main");
    if (start !== null && !start.disabled && seen.started === undefined) {
      seen.started = performance.now();
      start.click();
    }
    const step = document.querySelector(".where b")?.textContent ?? "0";
    if (step !== "0") seen.firstStep ??= performance.now();
    requestAnimationFrame(draw);
  };
  requestAnimationFrame(draw);
`;

interface Seen {
  readonly paint: number;
  readonly firstStep: number;
  readonly gaps: readonly number[];
  readonly longTasks: readonly (readonly [number, number])[];
  readonly shifts: number;
  readonly step: string;
}

async function look(browser: Browser, address: string, seconds: number): Promise<Seen> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.addInitScript(watching);
  await page.goto(address);
  await page.waitForFunction("seen.firstStep !== undefined", undefined, { timeout: 120_000 });
  await page.waitForTimeout(1000 * seconds);
  const seen = await page.evaluate(`({
    ...seen,
    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    step: document.querySelector(".where b").textContent,
  })`);
  await context.close();
  return seen as Seen;
}

const middle = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
const kB = (bytes: number) => `${(bytes / 1000).toFixed(0)} kB`;
const { page, engine, onDemand } = playgroundSizes("playground/dist");
console.log(`gzipped: page ${kB(page)}, engine ${kB(engine)}, on demand ${kB(onDemand)}`);

const site = await serveFolder("playground/dist");
const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
for (const [name, { settings }] of Object.entries(presets)) {
  const wanted = withFields(settings, { backend: "wasm", "trainer.steps": 100_000 });
  const address = `${site.url}#${toAddress(wanted)}`;
  const loads: Seen[] = [];
  for (let time = 1; time < Number(words.times); time++)
    loads.push(await look(browser, address, 0));
  const trained = await look(browser, address, Number(words.seconds));
  loads.push(trained);
  const { gaps, longTasks, shifts, step, firstStep } = trained;
  const late = gaps.filter((gap) => gap > 50).length;
  const duringTraining = longTasks.filter(([start]) => start > firstStep).map(([, ms]) => ms);
  const longest = (values: readonly number[]) => Math.max(0, ...values).toFixed(0);
  console.log(
    [
      `${name}: first paint ${middle(loads.map(({ paint }) => paint)).toFixed(0)} ms`,
      `first step ${middle(loads.map((load) => load.firstStep)).toFixed(0)} ms`,
      `in ${words.seconds} s to step ${step}: ${gaps.length} frames, middle ${middle(gaps).toFixed(1)} ms, ${late} (${((100 * late) / gaps.length).toFixed(1)} %) over 50 ms, longest ${longest(gaps)} ms`,
      `${duringTraining.length} long tasks, longest ${longest(duringTraining)} ms`,
      `layout shift ${shifts.toFixed(4)}`,
    ].join("; "),
  );
}
await browser.close();
await site.close();
