/**
 * The tests of WebGPU through Dawn, on SwiftShader, the GPU in software that comes with Chromium (Debian:
 * `apt-get install chromium`); on the driver in VK_ICD_FILENAMES if one is named. Arguments go to vitest. Prints
 * SKIPPED and why where there is no driver.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./compile/native-compiler.mjs";
import { softwareDriver, withDriver } from "./vulkan-driver.mjs";

const driver = process.env["VK_ICD_FILENAMES"] ?? softwareDriver;
if (driver === undefined) {
  process.stdout.write("SKIPPED: no Vulkan driver is named and Chromium's is not installed.\n");
  process.exit(0);
}
// A GPU in software compiles a shader in up to a second, and much longer beside other work.
const patience = ["--testTimeout=600000", "--hookTimeout=600000"];
/** Files that leave the device of their process as it was: each process compiles most shaders once for all of them. */
const sharing = ["examples", "ops", "recorded-calls", "replay", "replay-losses", "runs", "sample"];
const folder = "tests/conformance/webgpu";
const ofFolder = sharing.map((name) => `${folder}/${name}.test.ts`);
const given = process.argv.slice(2);
const rounds =
  given.length > 0
    ? [["--isolate", ...given]]
    : [
        ["--no-isolate", ...ofFolder],
        ["--isolate", folder, ...ofFolder.map((file) => `--exclude=${file}`)],
      ];
let code = 0;
for (const args of rounds) {
  const { status } = spawnSync(
    join(root, "node_modules/.bin/vitest"),
    ["run", ...patience, ...args],
    { stdio: "inherit", cwd: root, env: withDriver(driver) },
  );
  code ||= status ?? 1;
}
process.exit(code);
