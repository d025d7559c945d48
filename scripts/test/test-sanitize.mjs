/**
 * The conformance suite with kernels that are compiled with AddressSanitizer and
 * UndefinedBehaviorSanitizer, and the thread pool alone with ThreadSanitizer (tests/native/pool.c).
 * Skipped, with the reason, where the compiler has none.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  buildAddon,
  findCompiler,
  hasKernels,
  root,
  sources,
} from "../compile/native-compiler.mjs";

const work = mkdtempSync(join(tmpdir(), "pupil-sanitize-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));

function skip(reason) {
  process.stdout.write(`skipped: sanitizers: ${reason}\n`);
  process.exit(0);
}

/** Path of a runtime library of the compiler's, if it has it. */
function library([command, ...first], name) {
  const { stdout } = spawnSync(command, [...first, `-print-file-name=${name}`]);
  const path = stdout?.toString().trim() ?? "";
  return path.startsWith("/") && existsSync(path) ? path : undefined;
}

function run(command, args, env = {}) {
  const { status, signal } = spawnSync(command, args, {
    ...{ stdio: "inherit", cwd: root },
    env: { ...process.env, ...env },
  });
  if (signal !== null) process.stderr.write(`${command} was ended by ${signal}\n`);
  if (status !== 0) process.exit(status ?? 1);
}

const compiler = findCompiler();
if (process.platform !== "linux" || !hasKernels(process.arch)) skip("only on Linux, x64 and arm64");
if (compiler === undefined) skip("there is no C compiler");
const asan = library(compiler, "libasan.so");
if (asan === undefined) skip(`${compiler.join(" ")} has no AddressSanitizer`);

const sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-g"];
const addon = join(work, "pupil.node");
await buildAddon(
  compiler,
  { platform: process.platform, arch: process.arch, extra: [...sanitizers, "-O1"] },
  addon,
);
// Node leaves its own memory to the system at the end.
const env = { LD_PRELOAD: asan, ASAN_OPTIONS: "detect_leaks=0:handle_segv=0", PUPIL_ADDON: addon };
const vitest = join(root, "node_modules/vitest/vitest.mjs");
const suites = [
  "tests/conformance/wasm-engine",
  "tests/conformance/distribution-statistics.test.ts",
];
run(process.execPath, [vitest, "run", ...suites], env);

if (library(compiler, "libtsan.so") === undefined) skip("no ThreadSanitizer");
const pool = join(work, "pool");
const [command, ...first] = compiler;
execFileSync(command, [
  ...[...first, "-std=gnu11", "-O1", "-g", "-fsanitize=thread", `-I${sources}`],
  ...[
    join(root, "tests/native/pool.c"),
    join(sources, "engine/parallel.c"),
    "-o",
    pool,
    "-pthread",
  ],
]);
run(pool, []);
