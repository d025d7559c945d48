import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import type * as Dawn from "webgpu";
import type { GpuAccess, Platform, Unavailable } from "../backend/index.js";
import { isMissing } from "./optional-packages.js";
import { isTensorflow, prepareTensorflow } from "./tensorflow-import.js";
import { askQuietly, findVulkan, vulkanProblem } from "./vulkan.js";
import { nodeWasmPlatform } from "./wasm-platform.js";

const require = createRequire(import.meta.url);

/** Node: WebGPU through Dawn (npm `webgpu`), TensorFlow through the optional native packages. */
export const nodePlatform: Platform = {
  runtime: `Node ${process.version}`,
  cpu: { model: cpus()[0]?.model.trim() || process.arch, cores: availableParallelism() },
  cpuEngine: nodeWasmPlatform,
  get takesSoftwareGpu() {
    return process.env["PUPIL_SOFTWARE_GPU"] === "1";
  },
  async provideGpu({ allowSoftware = false, verbose = false, subgroupMatrices } = {}) {
    const vulkan = findVulkan();
    const problem = verbose ? undefined : vulkanProblem(vulkan, allowSoftware);
    const isHardware = !verbose && !allowSoftware && vulkan.named.length === 0;
    return problem ?? openDawn({ subgroupMatrices, isHardware });
  },
  async importOptional(name) {
    const isHere = nodePlatform.packageVersion(name) !== undefined;
    if (isHere && isTensorflow(name)) prepareTensorflow();
    try {
      return (await import(name)) as unknown;
    } catch (error) {
      if (isMissing(error, name)) return undefined;
      throw error;
    }
  },
  packageVersion(name) {
    for (const folder of require.resolve.paths(name) ?? []) {
      const path = join(folder, name, "package.json");
      if (existsSync(path)) {
        return (JSON.parse(readFileSync(path, "utf8")) as { version?: string }).version;
      }
    }
    return undefined;
  },
  onExit(release) {
    process.once("exit", release);
  },
};

interface DawnOptions {
  readonly subgroupMatrices?: boolean | undefined;
  /** Drivers in software are not asked. */
  readonly isHardware: boolean;
}

async function openDawn({
  subgroupMatrices = process.env["PUPIL_WEBGPU_SUBGROUP_MATRICES"] === "1",
  isHardware,
}: DawnOptions): Promise<GpuAccess | Unavailable> {
  let dawn: Pick<typeof Dawn, "create" | "globals">;
  try {
    dawn = await import("webgpu");
  } catch (error) {
    if (isMissing(error, "webgpu")) {
      return {
        reason: "Dawn is not installed (the npm package webgpu)",
        remedy: "Run npm install webgpu.",
      };
    }
    return {
      reason: `Dawn has no build that loads here (${process.platform} ${process.arch}): ${String(error)}`,
      remedy: "Use a platform that the npm package webgpu supports.",
    };
  }
  Object.assign(globalThis, dawn.globals);
  // Experimental extensions are behind a switch of Dawn's.
  const gpu = dawn.create(subgroupMatrices ? ["enable-dawn-features=allow_unsafe_apis"] : []);
  // Node 20 has no navigator; later versions have one without a gpu.
  const scope = globalThis as { navigator?: object };
  const hadNavigator = scope.navigator !== undefined;
  if (!hadNavigator) Object.defineProperty(scope, "navigator", { value: {}, configurable: true });
  const navigator = scope.navigator as object;
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  return {
    gpu: {
      requestAdapter: (options) => askQuietly(() => gpu.requestAdapter(options), isHardware),
    },
    subgroups: process.env["PUPIL_WEBGPU_SUBGROUPS"] === "1",
    subgroupMatrices,
    halfTeachers: process.env["PUPIL_WEBGPU_HALF_TEACHERS"] === "1",
    replaySteps: process.env["PUPIL_WEBGPU_REPLAY"] !== "0",
    release() {
      // Other libraries must not find a GPU that we did not accept.
      Reflect.deleteProperty(navigator, "gpu");
      if (!hadNavigator) Reflect.deleteProperty(scope, "navigator");
    },
  };
}
