/**
 * The tests of WebGPU through Dawn, on SwiftShader, the GPU in software that comes with Chromium (Debian:
 * `apt-get install chromium`); on the driver in VK_ICD_FILENAMES if one is named. Arguments go to vitest. Prints
 * SKIPPED and why where there is no driver.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./native-compiler.mjs";

const folders = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"];
const software = folders
  .map((folder) => join(folder, "vk_swiftshader_icd.json"))
  .find((path) => existsSync(path));
const driver = process.env["VK_ICD_FILENAMES"] ?? software;
if (driver === undefined) {
  process.stdout.write("SKIPPED: no Vulkan driver is named and Chromium's is not installed.\n");
  process.exit(0);
}
const libraries = [process.env["LD_LIBRARY_PATH"], dirname(driver)].filter(Boolean).join(":");
const given = process.argv.slice(2);
const { status } = spawnSync(
  join(root, "node_modules/.bin/vitest"),
  ["run", ...(given.length > 0 ? given : ["tests/conformance/webgpu"])],
  {
    stdio: "inherit",
    cwd: root,
    env: { ...process.env, VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: libraries },
  },
);
process.exit(status ?? 1);
