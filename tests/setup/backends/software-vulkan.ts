import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

const folders = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"];
const driver = folders
  .map((folder) => join(folder, "vk_swiftshader_icd.json"))
  .find((path) => existsSync(path));

/**
 * Environment for a child process in which Vulkan is SwiftShader, a GPU in software that comes with
 * Chromium; undefined where there is none. Name a block that skips without it
 * `… (needs Chromium's vk_swiftshader_icd.json)`.
 */
export const softwareVulkan: NodeJS.ProcessEnv | undefined =
  driver === undefined
    ? undefined
    : { ...process.env, VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: dirname(driver) };
