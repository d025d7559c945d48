/**
 * The suites whose results must not depend on what runs the kernels, once per executor of this machine:
 * parity, invariants (threads, resume, the same seed the same tokens), sampling and ops. Of them only the files
 * that start the engine: the others compute on plain JavaScript, the same every time. `npm test` and
 * `npm run test:slow` run all of them on the fastest executor.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { root } from "../compile/native-compiler.mjs";

const suites = ["tests/parity", "tests/invariants", "tests/unit/rollouts", "tests/unit/ops"];
// By name, by `startBackend`, or by the config of a run that leaves the choice to us.
const startsEngine = /wasm|startBackend|nodePlatform|"auto"/;

const files = suites.flatMap((suite) =>
  readdirSync(join(root, suite), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join(suite, name)),
);
const chosen = files.filter((file) => startsEngine.test(readFileSync(join(root, file), "utf8")));
process.stdout.write(`${chosen.length} of ${files.length} files start the engine\n`);

const addon = join(root, "native/build/pupil.node");
const native = existsSync(addon) ? createRequire(import.meta.url)(addon).executors() : [];
for (const executor of [...native.slice(1), "wasm"]) {
  process.stdout.write(`\nPUPIL_EXECUTOR=${executor}\n`);
  const { status } = spawnSync(join(root, "node_modules/.bin/vitest"), ["run", ...chosen], {
    ...{ stdio: "inherit", cwd: root },
    env: { ...process.env, PUPIL_EXECUTOR: executor },
  });
  if (status !== 0) process.exit(status ?? 1);
}
