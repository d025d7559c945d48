import {
  type BackendChoice,
  type BackendReport,
  type Platform,
  startBackend,
  webPlatform,
} from "../backend/index.js";
import { PupilError } from "../errors/index.js";

export interface BrowserPlatformOptions {
  /** Threads of the CPU engine, the calling one included. Default: the machine's cores. */
  readonly threads?: number;
}

export interface StartInBrowserOptions extends BrowserPlatformOptions {
  /** Default: "auto", which takes WebGPU where there is a hardware adapter and else the CPU engine. */
  readonly backend?: BackendChoice;
  /** Takes a WebGPU adapter that is a program on the CPU, for tests. Default: false. */
  readonly allowSoftwareAdapter?: boolean;
}

/** The backend that computes in this page or worker. */
export interface BrowserReport extends BackendReport {
  /** What is slower than it could be, each in a sentence with its remedy. */
  readonly notes: readonly string[];
}

/**
 * The browser as a platform for `startBackend`, with a number of threads.
 *
 * @throws PupilError if that is no number of threads
 */
export function browserPlatform({ threads }: BrowserPlatformOptions = {}): Platform {
  const platform = webPlatform();
  if (threads === undefined) return platform;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new PupilError(`${threads} is no number of threads.`, {
      field: "threads",
      value: threads,
      remedy: "Give a whole number from 1 on, or none for as many as the machine has cores.",
    });
  }
  const { cpuEngine } = platform;
  return { ...platform, ...(cpuEngine && { cpuEngine: { ...cpuEngine, numCores: threads } }) };
}

/**
 * Starts a backend in a page or, better, in a worker, which leaves the page responsive. Threads need a
 * cross-origin isolated page; without it the CPU engine has one, and a note says so.
 *
 * @throws PupilError with reason and remedy if the named backend cannot start
 */
export async function startInBrowser(options: StartInBrowserOptions = {}): Promise<BrowserReport> {
  const { backend = "auto", allowSoftwareAdapter = false, threads } = options;
  const platform = browserPlatform(threads === undefined ? {} : { threads });
  const report = await startBackend(backend, { platform, allowSoftwareAdapter });
  return { ...report, notes: notesOf(report, platform, globalThis as Surroundings) };
}

interface Surroundings {
  readonly document?: unknown;
}

/** What is slower than it could be, of what was started. */
export function notesOf(
  { backend, threads, rejected }: Pick<BackendReport, "backend" | "threads" | "rejected">,
  { cpuEngine }: Pick<Platform, "cpuEngine">,
  { document }: Surroundings,
): string[] {
  const notes: string[] = [];
  const gpu = rejected.find((other) => other.backend === "webgpu");
  if (gpu !== undefined) {
    notes.push(`No WebGPU, so the CPU computes: ${gpu.reason}.`);
  }
  const engine = rejected.find((other) => other.backend === "wasm");
  if (engine !== undefined) {
    notes.push(
      `Plain JavaScript computes, many times slower than the CPU engine: ${engine.reason}.`,
    );
  }
  if (backend === "wasm" && threads === 1 && cpuEngine !== undefined && cpuEngine.numCores > 1) {
    notes.push(
      cpuEngine.sharesMemory
        ? "One thread: this place cannot start workers."
        : `One thread in place of ${cpuEngine.numCores}: the page is not cross-origin isolated. Serve it with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.`,
    );
  }
  if (document !== undefined) {
    notes.push("The page stands still while it computes: start the training in a worker.");
  }
  return notes;
}
