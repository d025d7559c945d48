import { readFileSync } from "node:fs";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { browserPlatform, startInBrowser } from "../../../src/browser/index.js";
import { notesOf } from "../../../src/browser/start.js";
import { useCpu } from "../../setup/backends/backend.js";

/** A page or a worker, as far as starting a backend goes. */
function stubBrowser(scope: {
  cores?: number;
  isolated?: boolean;
  document?: object;
  kernels?: "there" | "missing" | "page";
}): void {
  const { cores = 4, isolated = false, document, kernels = "there" } = scope;
  vi.stubGlobal("location", new URL("https://my.page/"));
  vi.stubGlobal("navigator", { userAgent: "Test 1.0", hardwareConcurrency: cores });
  vi.stubGlobal("crossOriginIsolated", isolated);
  if (document !== undefined) vi.stubGlobal("document", document);
  vi.stubGlobal("fetch", (url: URL) => {
    if (kernels === "missing") return Promise.resolve(new Response("", { status: 404 }));
    if (kernels === "page") return Promise.resolve(new Response("<!doctype html>"));
    return Promise.resolve(new Response(readFileSync(url)));
  });
  onTestFinished(async () => {
    vi.unstubAllGlobals();
    await useCpu();
  });
}

describe("startInBrowser", () => {
  test("says why there is one thread and no GPU, and where it should run", async () => {
    stubBrowser({ document: {} });
    const { backend, threads, notes } = await startInBrowser();
    expect([backend, threads]).toEqual(["wasm", 1]);
    expect(notes).toEqual([
      "No WebGPU, so the CPU computes: this runtime has no navigator.gpu.",
      expect.stringMatching(
        /^One thread in place of 4: the page is not cross-origin isolated\. .*Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp\.$/,
      ) as string,
      "The page stands still while it computes: start the training in a worker.",
    ]);
  });

  test("says that plain JavaScript computes where the CPU engine does not start", () => {
    const rejected = [
      { backend: "wasm", reason: "its kernels were not served", remedy: "" },
    ] as const;
    expect(notesOf({ backend: "cpu", threads: 1, rejected }, {}, {})).toEqual([
      "Plain JavaScript computes, many times slower than the CPU engine: its kernels were not served.",
    ]);
  });

  test("has nothing to say of a worker that has what it asked for", async () => {
    stubBrowser({ cores: 1 });
    expect((await startInBrowser({ backend: "wasm" })).notes).toEqual([]);
    stubBrowser({ cores: 4 });
    expect((await startInBrowser({ backend: "wasm", threads: 1 })).notes).toEqual([]);
  });

  test("refuses WebGPU by name where there is none", async () => {
    stubBrowser({});
    await expect(startInBrowser({ backend: "webgpu" })).rejects.toThrow(
      "backend: the webgpu backend cannot start: this runtime has no navigator.gpu.",
    );
  });
});

describe("browserPlatform", () => {
  test("has the threads that it is given, or the cores", () => {
    stubBrowser({ cores: 4, isolated: true });
    expect(browserPlatform({ threads: 2 }).cpuEngine?.numCores).toBe(2);
    expect(browserPlatform().cpuEngine?.numCores).toBe(4);
    for (const threads of [0, 1.5, Number.NaN]) {
      expect(() => browserPlatform({ threads })).toThrow("threads: ");
    }
  });

  test.each([
    ["missing", "The server answers 404 for the kernels of the CPU engine."],
    ["page", "The server answers something else for the kernels of the CPU engine."],
  ] as const)("says that the kernels were not served (%s)", async (kernels, problem) => {
    stubBrowser({ kernels });
    const { cpuEngine } = browserPlatform();
    await expect(cpuEngine?.loadKernels("kernels-plain.wasm")).rejects.toThrow(problem);
  });
});
