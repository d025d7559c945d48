/**
 * Pictures of the live view, reports of runs and of an ablation, wide and narrow, light and dark, by a headless Chromium;
 * needs `npm run compile`. The first word is the folder that they are written to. What they show is trained first, two runs and
 * four cells, which takes some minutes.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, type Page } from "playwright-core";
import { serveView } from "../../src/node/index.js";
import { chromiumPath } from "../../tests/setup/pages/browser.js";
import { screenSizes, takePictures } from "./take-pictures.js";

const [folder = "build/page-screenshots"] = process.argv.slice(2);
if (chromiumPath === undefined) throw new Error("Pictures need Chromium.");
mkdirSync(folder, { recursive: true });
const root = join(resolve(folder), "runs");
mkdirSync(root, { recursive: true });

const run = {
  backend: "wasm",
  student: { architecture: { family: "llama", hiddenSize: 32, numLayers: 2, numHeads: 4 } },
  teacher: { from: resolve("examples/quickstart/teacher") },
  data: { type: "task", task: { type: "addition", maxDigits: 2, style: "direct" } },
  trainer: {
    type: "distill",
    steps: 150,
    batchSize: 8,
    learningRate: 0.003,
    warmupSteps: 10,
    onPolicyFraction: 0.5,
    loss: [{ type: "forward-kl" }],
  },
  evaluation: { every: 15, rows: 32, traces: 4 },
  checkpoint: { every: 50 },
};
const pupil = (...words: readonly string[]) => {
  console.log(`pupil ${words.join(" ")}`);
  execFileSync(process.execPath, [resolve("dist/cli/main.js"), ...words], {
    ...{ cwd: root, stdio: ["ignore", "ignore", "inherit"] },
  });
};

if (!existsSync(join(root, "reports.html"))) {
  for (const [name, loss] of [
    ["covering", "forward-kl"],
    ["seeking", "reverse-kl"],
  ] as const) {
    const config = { ...run, name, trainer: { ...run.trainer, loss: [{ type: loss }] } };
    writeFileSync(join(root, `${name}.json`), JSON.stringify(config));
    pupil("train", `${name}.json`);
    pupil("report", `runs/${name}`);
  }
  const plan = {
    name: "on-policy",
    run: { ...run, name: "unused", trainer: { ...run.trainer, steps: 60 } },
    arms: {
      "off policy": { "trainer.onPolicyFraction": 0 },
      "on policy": { "trainer.onPolicyFraction": 1 },
    },
    seeds: 2,
    claim: {
      text: "Rows that the student writes leave it nearer to its teacher.",
      comparisons: [{ arm: "on policy", metric: "heldOut.loss", direction: "lower" }],
    },
  };
  writeFileSync(join(root, "on-policy.json"), JSON.stringify(plan));
  pupil("ablate", "on-policy.json");
  pupil("report", "runs/covering", "runs/seeking", "output=reports.html");
}

const server = await serveView({ folder: root });
const file = (path: string) => pathToFileURL(join(root, path)).href;
const link = (name: string) => (page: Page) => page.getByRole("link", { name }).first().click();
const pages: Readonly<Record<string, readonly [string, ((page: Page) => Promise<void>)?]>> = {
  list: [server.url],
  run: [server.url, link("covering")],
  overlay: [
    server.url,
    async (page) => {
      for (const box of (await page.getByRole("checkbox").all()).slice(0, 2)) await box.check();
      await page.getByRole("button", { name: /compare/i }).click();
    },
  ],
  ablation: [server.url, link("on-policy")],
  report: [file("runs/covering/report.html")],
  "two-reports": [file("reports.html")],
  "ablation-report": [file("ablations/on-policy/report.html")],
};
const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
for (const [name, [address, reach]] of Object.entries(pages)) {
  for (const [size, [width, height]] of Object.entries(screenSizes)) {
    const page = await browser.newPage({ viewport: { width, height } });
    await page.goto(address);
    await reach?.(page);
    await page.waitForTimeout(1500);
    await takePictures(page, folder, `${name}-${size}`);
    await page.close();
  }
}
await browser.close();
await server.close();
