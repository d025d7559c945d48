import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, homedir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import type * as Dawn from "webgpu";
import type { GpuAccess, Platform, Unavailable } from "../backend/index.js";
import { isMissing } from "./optional-packages.js";
import { isTensorflow, prepareTensorflow } from "./tensorflow-import.js";
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
  async provideGpu({ allowSoftware = false, verbose = false } = {}) {
    return (verbose ? undefined : vulkanProblem(allowSoftware)) ?? openDawn();
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

async function openDawn(): Promise<GpuAccess | Unavailable> {
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
  const gpu = dawn.create([]);
  // Node 20 has no navigator; later versions have one without a gpu.
  const scope = globalThis as { navigator?: object };
  const hadNavigator = scope.navigator !== undefined;
  if (!hadNavigator) Object.defineProperty(scope, "navigator", { value: {}, configurable: true });
  const navigator = scope.navigator as object;
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  return {
    gpu,
    subgroups: process.env["PUPIL_WEBGPU_SUBGROUPS"] === "1",
    halfTeachers: process.env["PUPIL_WEBGPU_HALF_TEACHERS"] === "1",
    replaySteps: process.env["PUPIL_WEBGPU_REPLAY"] !== "0",
    release() {
      // Other libraries must not find a GPU that we did not accept.
      Reflect.deleteProperty(navigator, "gpu");
      if (!hadNavigator) Reflect.deleteProperty(scope, "navigator");
    },
  };
}

/**
 * Dawn needs Vulkan on Linux, and without it, or without a GPU, writes warnings of its own to the terminal. So look
 * before asking: for the loader where the dynamic linker looks, for a driver where the loader does, and for a GPU
 * among the system's devices, unless one in software will do or a driver was named.
 */
function vulkanProblem(allowSoftware: boolean): Unavailable | undefined {
  if (process.platform !== "linux") return undefined;
  if (!hasVulkanLoader()) {
    return {
      reason: "Vulkan is not installed (no libvulkan.so.1)",
      remedy: "On a machine with a GPU, install its driver and libvulkan1 (Debian, Ubuntu).",
    };
  }
  if (!hasVulkanDriver()) {
    return {
      reason: "no Vulkan driver is installed",
      remedy: "Install the driver of the GPU with its Vulkan part.",
    };
  }
  if (!allowSoftware && namedDrivers().length === 0 && !hasGpuDevice()) {
    return {
      reason: `there is no GPU (${gpuDevices.join(", ")})`,
      remedy: "In a container, pass the devices of the host's GPU on to it.",
    };
  }
  return undefined;
}

/** Where Linux shows GPUs: Mesa's and AMD's drivers, NVIDIA's, those of phones, WSL's. */
const gpuDevices = ["/dev/dri/renderD*", "/dev/nvidia0", "/dev/kgsl-3d0", "/dev/mali0", "/dev/dxg"];

function hasGpuDevice(): boolean {
  return gpuDevices.some((path) => {
    if (!path.endsWith("*")) return existsSync(path);
    const [folder, name] = [dirname(path), basename(path).slice(0, -1)];
    return existsSync(folder) && readdirSync(folder).some((file) => file.startsWith(name));
  });
}

function namedDrivers(): string[] {
  const named = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES"].flatMap(pathList);
  return named.filter((path) => existsSync(path));
}

function hasVulkanLoader(): boolean {
  const name = "libvulkan.so.1";
  const cache = "/etc/ld.so.cache";
  if (existsSync(cache) && readFileSync(cache).includes(name)) return true;
  const folders = ["/lib", "/usr/lib", "/usr/local/lib", ...pathList("LD_LIBRARY_PATH")];
  return folders.some((folder) => existsSync(join(folder, name)));
}

function hasVulkanDriver(): boolean {
  if (namedDrivers().length > 0) return true;
  const data = [
    ...pathList("XDG_CONFIG_HOME"),
    ...pathList("XDG_CONFIG_DIRS"),
    ...pathList("XDG_DATA_HOME"),
    ...pathList("XDG_DATA_DIRS"),
    join(homedir(), ".config"),
    join(homedir(), ".local/share"),
    ...["/etc", "/etc/xdg", "/usr/local/etc", "/usr/local/share", "/usr/share"],
  ];
  return data.some((folder) => {
    const drivers = join(folder, "vulkan/icd.d");
    return existsSync(drivers) && readdirSync(drivers).some((file) => file.endsWith(".json"));
  });
}

function pathList(variable: string): string[] {
  return (process.env[variable] ?? "").split(delimiter).filter((path) => path !== "");
}
