import { readdirSync, readFileSync, rmSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { build, preview, type PreviewServer } from "vite";
import { afterAll, beforeAll, describe, expect, test, type TestContext } from "vitest";
import type { Report, Sample } from "../../../examples/browser/protocol.js";
import { loadModel, zipFolder } from "../../../src/browser/index.js";
import {
  accessibilityProblems,
  chromiumPath,
  openPage,
  softwareGpu,
} from "../../setup/pages/browser.js";
import { compilePackage } from "../../setup/compile-package.js";
import { repository } from "../cli/cli-process.js";

const isSkipped = chromiumPath === undefined || process.env["PUPIL_SLOW_TESTS"] !== "1";

/** Keeps what the worker reports. */
const recordReports = `
  globalThis.reports = [];
  const Own = globalThis.Worker;
  globalThis.Worker = class extends Own {
    constructor(...args) {
      super(...args);
      this.addEventListener("message", ({ data }) => reports.push(data));
    }
  };
`;

interface Trained {
  readonly line: string;
  readonly notes: readonly string[];
  readonly losses: readonly number[];
  readonly samples: readonly (readonly Sample[])[];
}

const sft = 12;
const more = 1;
const short = `start&sft=${sft}&more=${more}&seed=1`;

describe.skipIf(isSkipped)(
  "training in a page (needs Chromium and PUPIL_SLOW_TESTS=1)",
  // A minute or two on a quiet machine: compiling every shader for a software GPU takes the most.
  { timeout: 900_000 },
  () => {
    let folder: string;
    let server: PreviewServer;
    let url: string;
    /** What one thread of the CPU engine gave. */
    let single: Trained;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "pupil-page-"));
      const options = {
        configFile: join(repository, "examples/browser/vite.config.ts"),
        build: { outDir: folder },
        logLevel: "warn" as const,
      };
      compilePackage();
      await build(options);
      server = await preview({ ...options, preview: { port: 0, host: "127.0.0.1" } });
      url = server.resolvedUrls?.local[0] as string;
    }, 600_000);

    afterAll(async () => {
      await server?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const open = (query: string, flags: readonly string[] = []) =>
      openPage(`${url}?${query}`, { flags, script: recordReports, acceptDownloads: true });

    function expectLossFalls({ losses }: Trained) {
      expect(losses).toHaveLength(sft + more);
      const last = losses.slice(sft - 3, sft).reduce((a, b) => a + b, 0) / 3;
      expect(last).toBeLessThan(0.9 * (losses[0] as number));
      expect(losses.every((loss) => Number.isFinite(loss) && loss > 0)).toBe(true);
    }

    test("the build has no ONNX runtime, the kernels and the teacher", () => {
      const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
      const files = names.filter((name) => /\.\w+$/.test(name));
      expect(files.filter((name) => /onnx|ort-|transformers/i.test(name))).toEqual([]);
      const scripts = files.filter((name) => name.endsWith(".js"));
      expect(scripts.length).toBeGreaterThan(1);
      const bytes = (some: readonly string[]) =>
        some.reduce((sum, name) => sum + readFileSync(join(folder, name)).length, 0);
      for (const name of scripts) {
        expect(readFileSync(join(folder, name), "utf8")).not.toMatch(/onnxruntime|node:fs/);
      }
      expect(files.filter((name) => name.endsWith(".wasm"))).toHaveLength(2);
      expect(names).toContain("teacher/model.safetensors");
      // What a visitor downloads beside the teacher; it was 26.9 MB more with an ONNX runtime.
      expect(bytes(files.filter((name) => !name.startsWith("teacher")))).toBeLessThan(4e6);
    });

    test("one thread: the loss falls, and the student is a zip and stays in the browser", async () => {
      const { page, problems } = await open(`${short}&backend=wasm&threads=1`);
      single = await trained(page);
      expectLossFalls(single);
      expect(single.line).toMatch(/^Computing with wasm on .*, 1 thread/);
      expect(single.notes).toEqual([]);
      expect(await accessibilityProblems(page)).toEqual([]);

      const downloading = page.waitForEvent("download");
      await page.getByRole("button", { name: "Download the student" }).click();
      const download = await downloading;
      expect(download.suggestedFilename()).toBe("student.zip");
      const bytes = readFileSync(await download.path());
      const { model, tokenizer } = await loadModel(await zipFolder(new Blob([bytes])));
      using student = model;
      expect(student.numParameters).toBeGreaterThan(90_000);
      expect(tokenizer.decode(tokenizer.encode("1+2="))).toBe("1+2=");
      await page.getByLabel("Sample a model from a zip").setInputFiles({
        ...{ name: "student.zip", mimeType: "application/zip", buffer: bytes },
      });
      await page.getByText("student.zip/student").waitFor();
      // The weights are those that wrote the last samples.
      const all = await samplesOf(page);
      expect(all.at(-1)).toEqual(all.at(-2));

      await page.getByRole("button", { name: "Keep it in this browser" }).click();
      await page.getByRole("button", { name: "Sample student" }).waitFor();
      await page.goto(url);
      await page.getByRole("button", { name: "Remove student" }).click();
      await page.getByRole("button", { name: "Remove student" }).waitFor({ state: "detached" });
      expect(problems).toEqual([]);
    });

    test("two threads: the same tokens, and the same losses", async () => {
      const { page, problems } = await open(`${short}&backend=wasm&threads=2`);
      const found = await trained(page);
      expect(found.line).toMatch(/^Computing with wasm on .*, 2 threads/);
      expect(found.samples).toEqual(single.samples);
      expect(found.losses).toEqual(single.losses);
      expect(problems).toEqual([]);
    });

    test("WebGPU: the same tokens, and losses within its rounding", async (context) => {
      const { page, problems } = await open(`${short}&backend=webgpu&software=1`, softwareGpu);
      await requireAdapter(page, context);
      const found = await trained(page, 880_000);
      expect(found.line).toMatch(/^Computing with webgpu on /);
      expectLossFalls(found);
      expect(found.samples).toEqual(single.samples);
      for (const [i, loss] of found.losses.entries()) {
        expect(Math.abs(loss / (single.losses[i] as number) - 1), `step ${i + 1}`).toBeLessThan(
          1e-3,
        );
      }
      expect(problems).toEqual([]);
    });

    test("a browser without WebGPU computes on the CPU and says so", async () => {
      const { page } = await open("start&sft=1&more=0&threads=1", ["--disable-features=WebGPU"]);
      const { line, notes } = await trained(page);
      expect(line).toMatch(/^Computing with wasm/);
      expect(notes.join()).toMatch(/^No WebGPU, so the CPU computes: /);
    });

    test("a hidden tab pauses, and goes on when it is shown", async () => {
      const { page } = await open("start&sft=2000&more=0&backend=wasm&threads=1");
      const steps = () => page.evaluate("reports.filter(({ type }) => type === 'step').length");
      const turn = (hidden: boolean) =>
        page.evaluate((value) => {
          const { document, Event } = globalThis as unknown as {
            document: EventTarget;
            Event: new (type: string) => Event;
          };
          Object.defineProperty(document, "hidden", { value, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }, hidden);
      await page.getByText("SFT: step").waitFor();
      await turn(true);
      await page.getByText("Paused.").waitFor();
      const before = await steps();
      await page.waitForTimeout(500);
      expect(await steps()).toBe(before);
      await turn(false);
      await page.waitForFunction(
        `reports.filter(({ type }) => type === "step").length > ${before}`,
      );
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByText("Stopped.").waitFor();
    });
  },
);

/** Waits for the end of the training and gives what was reported. */
async function trained(page: Page, timeout = 300_000): Promise<Trained> {
  const ends = `reports.some(({ type }) => type === "finished" || type === "failed")`;
  await page.waitForFunction(ends, undefined, { timeout });
  const reports = await reportsOf(page);
  const failed = reports.find((report) => report.type === "failed");
  expect(failed?.message).toBeUndefined();
  const started = reports.find((report) => report.type === "started");
  return {
    line: started?.line ?? "",
    notes: started?.notes ?? [],
    losses: reports.flatMap((report) => (report.type === "step" ? [report.loss] : [])),
    samples: await samplesOf(page),
  };
}

async function samplesOf(page: Page): Promise<(readonly Sample[])[]> {
  const reports = await reportsOf(page);
  return reports.flatMap((report) => (report.type === "samples" ? [report.samples] : []));
}

function reportsOf(page: Page): Promise<Report[]> {
  return page.evaluate("reports.filter(({ type }) => type !== 'zip')");
}

async function requireAdapter(page: Page, context: TestContext): Promise<void> {
  const isThere = await page.evaluate("navigator.gpu?.requestAdapter().then((a) => a !== null)");
  if (isThere !== true) context.skip("this Chromium has no WebGPU adapter here");
}
