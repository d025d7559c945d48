/**
 * Loads the Linux binaries of prebuilds/ where there is no Node for them: tests/native/host.c, compiled by
 * zig for each C library and CPU, opens the binary and multiplies with every executor that it has. Says of
 * every binary whether it ran, or why not.
 *
 * Needed: ziglang (see prebuild.mjs); for musl its loader (Debian: musl); for arm64 qemu-user and the
 * libraries of an arm64 system: libc6-arm64-cross, for musl the unpacked package musl:arm64, named in
 * PUPIL_ARM64_MUSL.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { headers, platformName, root } from "../compile/native-compiler.mjs";
import { findZig, folder, noZig, targets } from "../compile/zig.mjs";

/** Where the libraries of another system are, by target. */
const arm64 = {
  "linux-arm64-glibc": "/usr/aarch64-linux-gnu",
  "linux-arm64-musl": process.env["PUPIL_ARM64_MUSL"] ?? "/usr/aarch64-linux-musl",
};
const loaders = {
  "linux-x64-musl": "/lib/ld-musl-x86_64.so.1",
  "linux-arm64-musl": join(arm64["linux-arm64-musl"], "lib/ld-musl-aarch64.so.1"),
  "linux-arm64-glibc": join(arm64["linux-arm64-glibc"], "lib/ld-linux-aarch64.so.1"),
};

const hasQemu = spawnSync("qemu-aarch64", ["--version"]).status === 0;

/** The command before the host's own, or why there is none. */
function runner(name) {
  if (name === platformName()) return { command: [] };
  if (!name.startsWith("linux-") || process.platform !== "linux") {
    return { reason: `not a binary for ${process.platform}` };
  }
  const loader = loaders[name];
  if (loader === undefined || !existsSync(loader)) return { reason: `no ${loader ?? "loader"}` };
  if (name.includes(process.arch)) return { command: [] };
  if (!(name in arm64)) return { reason: `no emulator for ${name} on ${process.arch}` };
  if (!hasQemu) return { reason: "no qemu-aarch64" };
  return { command: ["qemu-aarch64", "-L", arm64[name]] };
}

const work = mkdtempSync(join(tmpdir(), "pupil-prebuilds-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));

function load(name, binary, { zig }) {
  const { command, reason } = runner(name);
  if (command === undefined) return `not run: ${reason}`;
  const host = join(work, name);
  const [zigCommand, ...first] = zig;
  const source = join(root, "tests/native/host.c");
  execFileSync(zigCommand, [
    ...[...first, "cc", "-target", targets[name], "-dynamic", "-rdynamic", "-O1", "-std=gnu11"],
    ...["-Wall", "-Wextra", "-Werror", "-isystem", headers(), "-DNAPI_VERSION=8"],
    ...[source, "-o", host, "-lm", ...(name.endsWith("musl") ? [] : ["-ldl"])],
  ]);
  const [program, ...args] = [...command, host, binary];
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status === 0) return `loads and multiplies: ${stdout.trim()}`;
  process.exitCode = 1;
  return `FAILS: ${stderr.trim() || `status ${status}`}`;
}

const zig = findZig();
if (zig === undefined) {
  process.stdout.write(`skipped: prebuilt binaries: ${noZig}\n`);
  process.exit(0);
}
for (const name of Object.keys(targets)) {
  const binary = join(folder, `${name}.node`);
  const found = existsSync(binary) ? load(name, binary, zig) : "not run: npm run prebuild makes it";
  process.stdout.write(`${name}: ${found}\n`);
}
