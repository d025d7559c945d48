/**
 * Compiles the native kernels for this machine, if it has a C compiler, into native/build. Never fails:
 * without one, the kernels run in WebAssembly. Keyed by a digest of sources and compiler, so that
 * nothing is compiled again without need.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import {
  buildAddon,
  digest,
  findCompiler,
  hasKernels,
  headers,
  platformName,
  root,
  sources,
} from "./native-compiler.mjs";

const target = join(sources, "build");
const addon = join(target, "pupil.node");
const stamp = join(target, "digest.txt");
/** Why there is no addon: what `pupil doctor` says. */
const reasonFile = join(target, "reason.txt");

function giveUp(reason, details = "") {
  rmSync(addon, { force: true });
  rmSync(stamp, { force: true });
  writeFileSync(reasonFile, `${reason}\n`);
  process.stdout.write(`pupil: kernels run in WebAssembly: ${reason}.${details}\n`);
}

/** A package from the registry or a tarball brings binaries, and no tsconfig.json: it is not compiled where one loads. */
function prebuiltLoads() {
  if (existsSync(join(root, "tsconfig.json"))) return false;
  const prebuilt = join(root, "prebuilds", `${platformName()}.node`);
  if (!existsSync(prebuilt)) return false;
  try {
    createRequire(import.meta.url)(prebuilt);
    return true;
  } catch {
    return false;
  }
}

async function build() {
  if (prebuiltLoads()) return;
  mkdirSync(target, { recursive: true });
  if (!hasKernels(process.arch)) return giveUp(`there are no native kernels for ${process.arch}`);
  if (headers() === undefined) return giveUp("node-api-headers was missing when it was installed");
  const compiler = findCompiler();
  if (compiler === undefined) return giveUp("no compiler when it was installed");
  const version = spawnSync(compiler[0], [...compiler.slice(1), "--version"]).stdout.toString();
  const current = digest(compiler, version, process.platform, process.arch);
  const isCurrent = existsSync(stamp) && readFileSync(stamp, "utf8") === current;
  if (isCurrent && existsSync(addon)) return;
  // Another process may have the old file open: a new one takes its name.
  const fresh = `${addon}.${process.pid}`;
  try {
    await buildAddon(compiler, { platform: process.platform, arch: process.arch }, fresh);
  } catch (error) {
    rmSync(fresh, { force: true });
    return giveUp("the compiler failed when it was installed", `\n${error.stderr ?? error}`);
  }
  renameSync(fresh, addon);
  rmSync(reasonFile, { force: true });
  writeFileSync(stamp, current);
}

try {
  await build();
} catch (error) {
  // A package folder that cannot be written must not end an installation.
  process.stdout.write(`pupil: kernels run in WebAssembly: ${error.message}\n`);
}
