import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

const folders = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"];
/** Where a system keeps the manifests of its drivers, but for those of a GPU in software. */
const system = ["/etc/vulkan/icd.d", "/usr/share/vulkan/icd.d"];
const hardware = ["nvidia_icd.json", "radeon_icd.x86_64.json", "intel_icd.x86_64.json"];

/** Manifest of SwiftShader, the GPU in software that comes with Chromium (Debian: `apt-get install chromium`). */
export const softwareDriver = folders
  .map((folder) => join(folder, "vk_swiftshader_icd.json"))
  .find((path) => existsSync(path));

/** The driver that VK_ICD_FILENAMES names; else the system's for hardware, which needs no name; else SwiftShader. */
export function vulkanEnvironment(env = process.env) {
  const isNamed = env["VK_ICD_FILENAMES"] !== undefined || env["VK_DRIVER_FILES"] !== undefined;
  const hasGpu =
    existsSync("/proc/driver/nvidia/version") ||
    (existsSync("/dev/dri") &&
      system.some((folder) => hardware.some((file) => existsSync(join(folder, file)))));
  return isNamed || hasGpu || softwareDriver === undefined
    ? { ...env }
    : withDriver(softwareDriver, env);
}

/** An environment in which Vulkan is the driver of this manifest. */
export function withDriver(driver, env = process.env) {
  const libraries = [env["LD_LIBRARY_PATH"], dirname(driver)].filter(Boolean).join(":");
  return { ...env, VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: libraries };
}
