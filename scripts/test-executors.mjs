/**
 * The suites whose results must not depend on what runs the kernels, once per executor of this machine:
 * conformance, parity and invariants (threads, resume, the same seed the same tokens). `npm test` runs
 * them on the fastest one.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { root } from "./native-compiler.mjs";

const addon = join(root, "native/build/pupil.node");
const native = existsSync(addon) ? createRequire(import.meta.url)(addon).executors() : [];
for (const executor of [...native.slice(1), "wasm"]) {
  process.stdout.write(`\nPUPIL_EXECUTOR=${executor}\n`);
  const { status } = spawnSync(
    join(root, "node_modules/.bin/vitest"),
    ["run", "tests/parity", "tests/invariants", "tests/unit/rollouts", "tests/unit/ops"],
    { stdio: "inherit", cwd: root, env: { ...process.env, PUPIL_EXECUTOR: executor } },
  );
  if (status !== 0) process.exit(status ?? 1);
}
