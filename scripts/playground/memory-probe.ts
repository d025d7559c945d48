import { readFileSync } from "node:fs";
import type { Browser, CDPSession, Page } from "playwright-core";

/** What a page and its worker hold once their garbage has been collected; sizes in MB of 10⁶ bytes. */
export interface MemorySample {
  readonly pageHeap: number;
  readonly workerHeap: number;
  /** The worker's tensors. */
  readonly tensors: number;
  readonly tensorBytes: number;
  /** Resident memory of the process that has both. */
  readonly resident: number;
  /** Elements and texts of the page, and what listens to them. */
  readonly nodes: number;
  readonly listeners: number;
}

const mega = (bytes: number) => bytes / 1e6;

/** Looks into the heaps of a page and of its one worker, by the browser's debugger. */
export async function memoryProbe(
  browser: Browser,
  page: Page,
): Promise<() => Promise<MemorySample>> {
  const ofPage = await page.context().newCDPSession(page);
  const ofBrowser = await browser.newBrowserCDPSession();
  await ofPage.send("HeapProfiler.enable");
  await ofPage.send("Performance.enable");
  const askWorker = await workerSession(ofPage);
  await askWorker("HeapProfiler.enable");
  return async () => {
    // Twice: what a first collection ends may hold what a second one takes.
    for (let time = 0; time < 2; time++) {
      await ofPage.send("HeapProfiler.collectGarbage");
      await askWorker("HeapProfiler.collectGarbage");
    }
    const { metrics } = await ofPage.send("Performance.getMetrics");
    const metric = (name: string) => metrics.find((one) => one.name === name)?.value ?? Number.NaN;
    const { usedSize } = (await askWorker("Runtime.getHeapUsage")) as { usedSize: number };
    const expression =
      "(({ numTensors, numBytes }) => JSON.stringify({ numTensors, numBytes }))(_tfengine.memory())";
    const { result } = (await askWorker("Runtime.evaluate", { expression })) as {
      result: { value: string };
    };
    const { numTensors, numBytes } = JSON.parse(result.value) as Record<string, number>;
    return {
      pageHeap: mega(metric("JSHeapUsedSize")),
      workerHeap: mega(usedSize),
      tensors: numTensors as number,
      tensorBytes: mega(numBytes as number),
      resident: await residentMemory(ofBrowser),
      nodes: metric("Nodes"),
      listeners: metric("JSEventListeners"),
    };
  };
}

/** Speaks to the worker of a page, which Playwright has no session for. */
async function workerSession(page: CDPSession) {
  const attached = new Promise<string>((resolve) => {
    page.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
      if (targetInfo.type === "worker") resolve(sessionId);
    });
  });
  await page.send("Target.setAutoAttach", {
    ...{ autoAttach: true, waitForDebuggerOnStart: false, flatten: false },
  });
  const sessionId = await attached;
  const waiting = new Map<number, (result: unknown) => void>();
  page.on("Target.receivedMessageFromTarget", ({ message }) => {
    const { id, result, error } = JSON.parse(message) as {
      id?: number;
      result?: unknown;
      error?: unknown;
    };
    if (id === undefined) return;
    if (error !== undefined) throw new Error(JSON.stringify(error));
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  let last = 0;
  return async (method: string, params: object = {}): Promise<unknown> => {
    const id = ++last;
    const answer = new Promise((resolve) => waiting.set(id, resolve));
    const message = JSON.stringify({ id, method, params });
    await page.send("Target.sendMessageToTarget", { sessionId, message });
    return answer;
  };
}

/** Of the largest process that has pages; the others are empty or the browser's own. */
async function residentMemory(browser: CDPSession): Promise<number> {
  const { processInfo } = await browser.send("SystemInfo.getProcessInfo");
  const sizes = processInfo
    .filter(({ type }) => type === "renderer")
    .map(({ id }) => /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1]);
  return mega(1024 * Math.max(...sizes.map(Number)));
}
