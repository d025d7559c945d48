import type { EnginePlatform } from "../ops/index.js";
import { webWasmPlatform } from "./wasm/web-platform.js";

/** Why something cannot be used, and what the user can do about it. */
export interface Unavailable {
  readonly reason: string;
  readonly remedy: string;
}

/** The entry point of WebGPU, installed as `navigator.gpu` until it is released. */
export interface GpuAccess {
  readonly gpu: Pick<GPU, "requestAdapter">;
  /** Whether training steps are replayed, unless whoever starts the backend says so. Default: true. */
  readonly replaySteps?: boolean;
  /** Whether rows are reduced by subgroup operations, unless whoever starts the backend says so. Default: false. */
  readonly subgroups?: boolean;
  /** Whether products are by subgroup matrices, unless whoever starts the backend says so. Default: false. */
  readonly subgroupMatrices?: boolean;
  /** Whether frozen models are held as binary16, unless whoever starts the backend says so. Default: false. */
  readonly halfTeachers?: boolean;
  release(): void;
}

/** How to look for a GPU. */
export interface GpuSearch {
  /** A GPU in software will do as well. */
  readonly allowSoftware?: boolean;
  /** Asks WebGPU itself in any case, whatever it writes to the terminal about what it misses. */
  readonly verbose?: boolean;
  /** Lets adapters offer subgroup matrices, which is an experimental extension. */
  readonly subgroupMatrices?: boolean;
}

/** What starting a backend needs from the place it runs in. `pupil/node` exports `nodePlatform`. */
export interface Platform {
  /** Name and version of the JavaScript runtime: `Node v20.20.2`, a browser's user agent. */
  readonly runtime: string;
  readonly cpu: { readonly model: string; readonly cores: number };
  provideGpu(search?: GpuSearch): Promise<GpuAccess | Unavailable>;
  /** Whether a GPU in software will do where WebGPU is asked for by its name. Default: false. */
  readonly takesSoftwareGpu?: boolean;
  /** What the CPU engine needs; without it there is no wasm backend. */
  readonly cpuEngine?: EnginePlatform;
  /**
   * Imports a package that need not be installed: undefined if it is not, an error if it is broken.
   * Absent where native packages cannot run.
   */
  importOptional?(name: string): Promise<unknown>;
  /** Version of an installed package, where that can be known. */
  packageVersion(name: string): string | undefined;
  /** Calls `release`, which is synchronous, just before the process ends. */
  onExit(release: () => void): void;
}

interface WebNavigator {
  readonly userAgent?: string;
  readonly hardwareConcurrency?: number;
  readonly gpu?: GPU;
}

/** The platform of a browser, and of any runtime that brings a `navigator.gpu` of its own. */
export function webPlatform(): Platform {
  const { navigator = {}, location } = globalThis as {
    navigator?: WebNavigator;
    location?: unknown;
  };
  return {
    runtime: navigator.userAgent ?? "unknown runtime",
    cpu: { model: "CPU", cores: navigator.hardwareConcurrency ?? 1 },
    provideGpu: async () =>
      navigator.gpu
        ? { gpu: navigator.gpu, release: () => {} }
        : {
            reason: "this runtime has no navigator.gpu",
            remedy:
              'Use a browser with WebGPU; in Node pass { platform: nodePlatform } from "pupil/node".',
          },
    // Its files are fetched, so there must be a page that they belong to.
    ...(location !== undefined && { cpuEngine: webWasmPlatform() }),
    packageVersion: () => undefined,
    onExit: () => {},
  };
}
