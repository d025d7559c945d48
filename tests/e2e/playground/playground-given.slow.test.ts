import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { toAddress } from "../../../playground/src/training/address.js";
import { exampleLoss } from "../../../playground/src/training/example-loss.js";
import { presets } from "../../../playground/src/training/presets.js";
import type { Settings } from "../../../playground/src/training/settings.js";
import { playgroundSizes } from "../../../scripts/playground/sizes.js";
import {
  chromiumPath,
  layoutShift,
  mostLayoutShift,
  openPage,
  watchLayoutShift,
} from "../../setup/pages/browser.js";
import { shortRun, withFields } from "../../setup/pages/playground-states.js";
import { playgroundSite } from "../../setup/pages/served-playground.js";
import { missing, sharedData } from "../../setup/data/shared-data.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const tab = (page: Page, name: string) => page.getByRole("tab", { name }).click();
const message = (page: Page, text: string | RegExp) =>
  page.locator(".message", { hasText: text }).waitFor({ timeout: 60_000 });
const isReady = (page: Page) =>
  page.getByText("ready", { exact: true }).waitFor({ timeout: 60_000 });
const teacherFolder = "examples/quickstart/teacher";
const small = withFields(shortRun, { "trainer.steps": 5, "data.sequenceLength": 24 });

async function trainToEnd(page: Page): Promise<void> {
  await isReady(page);
  await button(page, "Start").click();
  await page.getByText("finished", { exact: true }).waitFor({ timeout: 120_000 });
}

/** A zip of the quickstart's teacher. */
function teacherZip(): string {
  const names = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
  const files = names.map((name) => [`adder/${name}`, readFileSync(join(teacherFolder, name))]);
  const path = join(temporaryFolder(), "adder.zip");
  writeFileSync(path, zipSync(Object.fromEntries(files) as Record<string, Uint8Array>));
  return path;
}

/** Drops paths of this machine on the page, as the system does. */
async function drop(page: Page, files: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [...files], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await session.send("Input.dispatchDragEvent", { type, x: 700, y: 300, data });
  }
}

describe.skipIf(chromiumPath === undefined)(
  "what a visitor gives the playground (needs Chromium)",
  { timeout: 240_000 },
  () => {
    const site = playgroundSite();
    const at = (settings: Settings) => `${site().url}#${toAddress(settings)}`;

    test("a teacher's folder that is dropped teaches, a zip takes its place, and what is none is refused by name", async () => {
      const { page, problems } = await openPage(at(small));
      await isReady(page);
      const folder = join(temporaryFolder(), "adder");
      cpSync(teacherFolder, folder, { recursive: true });
      await drop(page, [folder]);
      await message(page, "adder: a teacher of 793,856 parameters. This run learns from it.");
      await page.waitForURL(/data\.task\.type=addition&.*teacher\.from=teacher/);
      expect(await page.getByLabel("Learns from").inputValue()).toBe("folder");
      await trainToEnd(page);
      expect(await page.locator(".verdict").count()).toBeGreaterThan(0);

      await page.locator("#teacher-zip").setInputFiles(teacherZip());
      await message(page, "adder.zip: a teacher of 793,856 parameters.");
      await isReady(page);

      const broken = join(temporaryFolder(), "broken.zip");
      writeFileSync(broken, "hello");
      await page.locator("#teacher-zip").setInputFiles(broken);
      await message(page, "broken.zip: It is no zip");
      await page.locator("#teacher-folder").setInputFiles("examples/starters");
      await message(page, "starters: The folder holds no config.json");
      // What was there still trains.
      await trainToEnd(page);

      // A link does not carry it.
      const other = await openPage(page.url());
      await message(other.page, 'teacher.from = "teacher": is not here. Drop the teacher');
      expect([...problems, ...other.problems]).toEqual([]);
    });

    const stories = sharedData("stories260k-hf");
    test.skipIf(missing("stories260k-hf"))(
      "a checkpoint of 512 tokens teaches a text (needs ../shared/data/stories260k-hf)",
      async () => {
        const { page, problems } = await openPage(at(small));
        await isReady(page);
        await page.locator("#teacher-folder").setInputFiles(stories);
        await message(page, "stories260k-hf: a teacher of 260,032 parameters.");
        await page.waitForURL(/data\.type=text&.*teacher\.from=teacher/);
        await trainToEnd(page);
        expect(await page.locator(".token").count()).toBeGreaterThan(0);
        // Undone, the run is what it was.
        await page.locator("#teacher-folder").setInputFiles(stories);
        await message(page, "This run learns from it.");
        await button(page, "Undo").click();
        expect(problems).toEqual([]);
      },
    );

    test("links, configs and sizes that cannot be are refused, and nothing is lost", async () => {
      const own = withFields({ ...small, text: { own: "a text of mine. ".repeat(30) } }, {});
      const cut = await openPage(at(own).slice(0, -9));
      await isReady(cut.page);
      await message(cut.page, "This link cannot be read. Its end is missing");

      const { page, problems } = await openPage(at(own));
      await isReady(page);
      await tab(page, "Config and files");
      const paste = async (text: string) => {
        await page.getByLabel("Paste the config.json of a run").fill(text);
        await button(page, "Take it").click();
      };
      const hide = () => button(page, "Hide the message").first().click();
      await paste("{ no");
      await message(page, "config: This is no JSON");
      await hide();
      const { trainer, ...rest } = own.config;
      await paste(JSON.stringify({ ...rest, trainer: { ...(trainer as object), stepz: 3 } }));
      await message(page, 'trainer.stepz is not a field. Did you mean "steps"?');
      await hide();
      await paste(JSON.stringify({ ...rest, trainer: "distill" }));
      await message(page, 'trainer is "distill", expected object');
      await hide();
      expect(page.url()).toBe(at(own));

      await paste(JSON.stringify(presets["two-modes"].settings.config));
      await message(page, "The config is in the form now.");
      await button(page, "Undo").click();
      await page.waitForURL(at(own));

      const large = { "student.architecture.hiddenSize": 65_536 };
      await page.goto("about:blank");
      await page.goto(at(withFields(own, large)));
      await message(page, /student\.architecture: A student of [\d,]+ parameters needs .* GiB/);
      await page.goto("about:blank");
      await page.goto(at({ ...own, text: { own: "a" } }));
      await message(page, /data\.sequenceLength: The training text .* Give at least 25 tokens/);
      expect([...problems, ...cut.problems]).toEqual([]);
    });

    test("a loss that throws or never ends is said to, and can be stopped", async () => {
      const { page, problems } = await openPage(at(small));
      await isReady(page);
      await tab(page, "A loss of your own");
      const check = async (first: string) => {
        const source = exampleLoss.replace("return tf.tidy", `${first} return tf.tidy`);
        await page.getByLabel("Module of a loss").fill(source);
        await button(page, "Check it").click();
      };
      await check('throw new Error("boom");');
      await page.locator(".checks .wrong").waitFor({ timeout: 60_000 });
      expect(await page.locator(".checks").innerText()).toContain("it throws: boom");
      await check("for (;;) {}");
      await page.locator(".checks", { hasText: "look for a loop" }).waitFor({ timeout: 60_000 });
      await button(page, "Stop checking").click();
      await button(page, "Check it").waitFor();
      // The training was never in its way.
      await trainToEnd(page);
      expect(problems).toEqual([]);
    });

    test("a training that no longer answers is ended, and begins anew with what was given", async () => {
      const { page } = await openPage(at(small));
      await isReady(page);
      await page.locator("#teacher-zip").setInputFiles(teacherZip());
      await message(page, "This run learns from it.");
      await tab(page, "A loss of your own");
      // Good while it is checked, which is done in a worker that trains nothing.
      const slow =
        "if (studentLogits.shape[1] > 8 && studentLogits.shape[2] > 12) { for (;;) {} } return tf.tidy";
      await page.getByLabel("Module of a loss").fill(exampleLoss.replace("return tf.tidy", slow));
      await button(page, "Check it").click();
      await page.locator(".checks .right").waitFor({ timeout: 120_000 });
      await button(page, "Train with sure-kl").click();
      await message(page, "The worker has not answered");
      await button(page, "End it and begin anew").click();
      await page.getByText("waits for its loss to be checked").waitFor();
      await button(page, "Back to forward-kl").click();
      await trainToEnd(page);
      expect(page.url()).toContain("teacher.from=teacher");
    });

    test.each([
      [1280, 800],
      [390, 844],
    ])(
      "at %d × %d nothing moves, from the beginning to the end of a run",
      async (width, height) => {
        const settings = withFields(presets["two-modes"].settings, {
          ...{ backend: "wasm", "trainer.steps": 60 },
        });
        const { page } = await openPage(at(settings), {
          ...{ viewport: { width, height }, script: watchLayoutShift },
        });
        await isReady(page);
        // Not by a click, after which half a second of what moves does not count.
        await page.evaluate("document.querySelector('.bar .main').click()");
        await page.getByText("finished", { exact: true }).waitFor({ timeout: 120_000 });
        expect(await layoutShift(page)).toBeLessThan(mostLayoutShift);
      },
    );

    test("the page's own code is below 600 kB, and nothing of ONNX is in the build", () => {
      const { folder } = site();
      const { page, engine } = playgroundSizes(folder);
      expect(page).toBeLessThan(600_000);
      // What is counted is there: the page, and the engine that it trains with.
      expect(Math.min(page, engine)).toBeGreaterThan(10_000);
      expect(readdirSync(join(folder, "assets")).join(" ")).not.toMatch(/onnx|ort-/);
    });

    test("the page's own thread has no engine: what trains is in the worker", async () => {
      const { page } = await openPage(at(small));
      await trainToEnd(page);
      expect(await page.evaluate("typeof globalThis._tfengine")).toBe("undefined");
      const [worker, ...others] = page.workers();
      expect(others).toEqual([]);
      expect(await worker?.evaluate("typeof globalThis._tfengine")).toBe("object");
    });
  },
);
