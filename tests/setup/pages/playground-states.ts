import type { Page } from "playwright-core";
import { presets } from "../../../playground/src/training/presets.js";
import {
  type JsonObject,
  type Settings,
  withValue,
} from "../../../playground/src/training/settings.js";

/** Settings with some fields of the config set. */
export const withFields = (settings: Settings, fields: Record<string, unknown>): Settings => ({
  ...settings,
  config: Object.entries(fields).reduce(
    (config, [path, value]) => withValue(config, path, value as never) as JsonObject,
    settings.config,
  ),
});

const onCpu = { backend: "wasm" };
const twoModes = withFields(presets["two-modes"].settings, onCpu);
/** The n-gram of a text, with a student that takes a second or two. */
export const shortRun = withFields(presets.text.settings, {
  ...onCpu,
  "student.architecture.hiddenSize": 32,
  "student.architecture.numLayers": 1,
  "data.sequenceLength": 24,
  "trainer.steps": 50,
  "trainer.batchSize": 8,
});
const addition = withFields(presets.addition.settings, {
  ...onCpu,
  "student.architecture.hiddenSize": 32,
  "student.architecture.numLayers": 1,
  "trainer.batchSize": 4,
});

const press = (page: Page, name: string) =>
  page.getByRole("button", { name, exact: true }).click({ timeout: 60_000 });
const openTab = (page: Page, name: string) => page.getByRole("tab", { name }).click();
const lossModule = (page: Page) => page.getByLabel("Module of a loss");

/** Trains until a step, and pauses. */
async function trainTo(page: Page, step: number): Promise<void> {
  await press(page, "Start");
  await page.waitForFunction(
    `Number(document.querySelector(".where b").textContent.replaceAll(",", "")) >= ${step}`,
    undefined,
    { timeout: 120_000 },
  );
  await press(page, "Pause");
  await page.getByText("ready", { exact: true }).waitFor();
}

export interface PlaygroundState {
  readonly settings: Settings;
  /** Brings the page there from its beginning, with its models made. */
  reach(page: Page): Promise<void>;
}

/** What the playground can look like: every tab, teacher and message. */
export const playgroundStates: Readonly<Record<string, PlaygroundState>> = {
  start: { settings: twoModes, reach: () => Promise.resolve() },
  training: {
    settings: withFields(shortRun, { "trainer.steps": 100_000 }),
    async reach(page) {
      await press(page, "Start");
      await page.getByText("training", { exact: true }).waitFor();
      await page.locator(".token").first().waitFor({ timeout: 60_000 });
    },
  },
  finished: {
    settings: withFields(shortRun, { "trainer.steps": 5 }),
    async reach(page) {
      await press(page, "Start");
      await page.getByText("finished", { exact: true }).waitFor({ timeout: 60_000 });
    },
  },
  "two students": { settings: twoModes, reach: (page) => trainTo(page, 100) },
  "a token": {
    settings: shortRun,
    async reach(page) {
      await trainTo(page, 10);
      await page.locator(".token").nth(5).click();
    },
  },
  "an earlier step": {
    settings: twoModes,
    async reach(page) {
      await trainTo(page, 50);
      await page.getByRole("radio", { name: "KL(student ‖ teacher)" }).check();
      await page.locator("#scrubber").focus();
      await page.keyboard.press("Home");
    },
  },
  "a trained teacher": { settings: addition, reach: (page) => trainTo(page, 2) },
  "a teacher of one's own": {
    settings: shortRun,
    async reach(page) {
      await page.locator("#teacher-folder").setInputFiles("examples/quickstart/teacher");
      await page.getByText("This run learns from it.").waitFor({ timeout: 60_000 });
      await page.getByText("ready", { exact: true }).waitFor({ timeout: 60_000 });
    },
  },
  "every setting": {
    settings: twoModes,
    async reach(page) {
      await page
        .locator("details")
        .evaluateAll((all) => all.forEach((details) => details.setAttribute("open", "")));
    },
  },
  "a wrong setting": {
    settings: shortRun,
    async reach(page) {
      await page.getByLabel("Heads", { exact: true }).fill("7");
      await page.getByLabel("Heads", { exact: true }).blur();
      await page.locator(".message.problem").waitFor();
    },
  },
  "a written text": {
    settings: twoModes,
    async reach(page) {
      await openTab(page, "Let it write");
      await press(page, "Write");
      await page.locator("#completion").waitFor({ timeout: 60_000 });
    },
  },
  "a loss": { settings: shortRun, reach: (page) => openTab(page, "A loss of your own") },
  "a loss that fails": {
    settings: shortRun,
    async reach(page) {
      await openTab(page, "A loss of your own");
      const source = lossModule(page);
      await source.fill(
        (await source.inputValue()).replace("teacher.sub(student)", "student.sub(teacher)"),
      );
      await press(page, "Check it");
      await page.locator(".checks .wrong").waitFor({ timeout: 120_000 });
    },
  },
  "a loss that trains": {
    settings: shortRun,
    async reach(page) {
      await openTab(page, "A loss of your own");
      await press(page, "Check it");
      await press(page, "Train with sure-kl");
      await page.getByText("sure-kl trains").waitFor();
      await trainTo(page, 3);
    },
  },
  files: {
    settings: twoModes,
    async reach(page) {
      await openTab(page, "Config and files");
      await page.getByText("The config, and how to run it").click();
    },
  },
};
