import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import type { Unavailable } from "../backend/index.js";

/** What Linux has of Vulkan, looked at without asking Vulkan. */
export interface VulkanParts {
  readonly hasLoader: boolean;
  /** Manifests of drivers that the environment names; where there are any, the loader takes no others. */
  readonly named: readonly string[];
  /** Manifests of the system's drivers. */
  readonly installed: readonly string[];
  readonly hasGpuDevice: boolean;
}

/** Where Linux shows GPUs: Mesa's and AMD's drivers, NVIDIA's, those of phones, WSL's. */
const gpuDevices = ["/dev/dri/renderD*", "/dev/nvidia0", "/dev/kgsl-3d0", "/dev/mali0", "/dev/dxg"];

/** Mesa's driver for no GPU, which is installed beside those for GPUs. */
const softwareManifest = /^lvp_icd\b.*\.json$/;

export function findVulkan(): VulkanParts {
  return {
    ...{ hasLoader: hasLoader(), hasGpuDevice: gpuDevices.some(isThere) },
    named: ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES"]
      .flatMap(pathList)
      .filter((path) => existsSync(path)),
    installed: installedManifests(),
  };
}

/**
 * Dawn needs Vulkan on Linux, and without it, or without a GPU, writes warnings of its own to the terminal. So look
 * before asking: for the loader where the dynamic linker looks, for a driver where the loader does, and for a GPU
 * among the system's devices, unless one in software will do or a driver was named.
 */
export function vulkanProblem(
  { hasLoader, named, installed, hasGpuDevice }: VulkanParts,
  allowSoftware: boolean,
): Unavailable | undefined {
  if (process.platform !== "linux") return undefined;
  if (!hasLoader) {
    return {
      reason: "Vulkan is not installed (no libvulkan.so.1)",
      remedy: "On a machine with a GPU, install its driver and libvulkan1 (Debian, Ubuntu).",
    };
  }
  if (named.length > 0) return undefined;
  if (installed.length === 0) {
    return {
      reason: "no Vulkan driver is installed",
      remedy: "Install the driver of the GPU with its Vulkan part.",
    };
  }
  if (allowSoftware) return undefined;
  if (!hasGpuDevice) {
    return {
      reason: `there is no GPU (${gpuDevices.join(", ")})`,
      remedy: "In a container, pass the devices of the host's GPU on to it.",
    };
  }
  if (installed.every((path) => softwareManifest.test(basename(path)))) {
    return {
      reason: "the only Vulkan driver that is installed computes in software, Mesa's lavapipe",
      remedy: "Install the driver of the GPU with its Vulkan part.",
    };
  }
  return undefined;
}

/** How a user of Mesa chooses a GPU, which the layer below carries out. */
const choosingGpu = ["DRI_PRIME", "MESA_VK_DEVICE_SELECT"];

/**
 * Asks with what only writes to the terminal left out by Vulkan's loader; a user's own settings stay. Mesa's layer that
 * puts the display's GPU first writes an error where there is no display. Its driver in software, which Dawn asks first
 * what it can, makes Dawn warn about limits that nobody wants to know; it is left out where only hardware will do.
 */
export async function askQuietly<T>(ask: () => Promise<T>, isHardware: boolean): Promise<T> {
  const settings = {
    ...(choosingGpu.every((name) => process.env[name] === undefined) && { NODEVICE_SELECT: "1" }),
    ...(isHardware && { VK_LOADER_DRIVERS_DISABLE: "lvp_icd*" }),
  };
  const added = Object.entries(settings).filter(([name]) => process.env[name] === undefined);
  Object.assign(process.env, Object.fromEntries(added));
  try {
    return await ask();
  } finally {
    for (const [name] of added) delete process.env[name];
  }
}

function isThere(path: string): boolean {
  if (!path.endsWith("*")) return existsSync(path);
  const [folder, name] = [dirname(path), basename(path).slice(0, -1)];
  return existsSync(folder) && readdirSync(folder).some((file) => file.startsWith(name));
}

function hasLoader(): boolean {
  const name = "libvulkan.so.1";
  const cache = "/etc/ld.so.cache";
  if (existsSync(cache) && readFileSync(cache).includes(name)) return true;
  const folders = ["/lib", "/usr/lib", "/usr/local/lib", ...pathList("LD_LIBRARY_PATH")];
  return folders.some((folder) => existsSync(join(folder, name)));
}

function installedManifests(): string[] {
  const data = [
    ...pathList("XDG_CONFIG_HOME"),
    ...pathList("XDG_CONFIG_DIRS"),
    ...pathList("XDG_DATA_HOME"),
    ...pathList("XDG_DATA_DIRS"),
    join(homedir(), ".config"),
    join(homedir(), ".local/share"),
    ...["/etc", "/etc/xdg", "/usr/local/etc", "/usr/local/share", "/usr/share"],
  ];
  return data.flatMap((folder) => {
    const drivers = join(folder, "vulkan/icd.d");
    if (!existsSync(drivers)) return [];
    return readdirSync(drivers).flatMap((file) =>
      file.endsWith(".json") ? [join(drivers, file)] : [],
    );
  });
}

function pathList(variable: string): string[] {
  return (process.env[variable] ?? "").split(delimiter).filter((path) => path !== "");
}
