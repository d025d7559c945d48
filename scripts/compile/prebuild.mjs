/**
 * Compiles the native kernels for every platform that `npm pack` carries binaries for, into prebuilds/:
 * `npm run prebuild [platform-arch[-libc] …]`. Cross-compiles with `zig cc` of the PyPI wheel `ziglang`
 * (`pip install ziglang`), of the Python in PUPIL_PYTHON or python3.
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildAddon, digest } from "./native-compiler.mjs";
import { findZig, folder, noZig, targets } from "./zig.mjs";

/** Windows links to what node.exe exports: a library made of the lists in node-api-headers. */
function windowsExports([command, ...first], work) {
  const { js_native_api_def, node_api_def } = createRequire(import.meta.url)(
    "node-api-headers",
  ).def_paths;
  return [js_native_api_def, node_api_def].map((list, i) => {
    const library = join(work, `node-${i}.lib`);
    const args = ["dlltool", "-m", "i386:x86-64", "-d", list, "-l", library];
    const { status, stderr } = spawnSync(command, [...first, ...args]);
    if (status !== 0) throw new Error(stderr.toString());
    return library;
  });
}

const stamp = join(folder, "digest.txt");

/** Before `npm pack`: binaries of other sources than those beside them must not be shipped. */
function check() {
  if (!existsSync(stamp)) {
    process.stdout.write(
      "pupil: this package carries no prebuilt binaries; npm run prebuild makes them.\n",
    );
  } else if (readFileSync(stamp, "utf8") !== digest()) {
    process.stderr.write("prebuilds/ is older than native/: run npm run prebuild.\n");
    process.exit(1);
  }
  process.exit(0);
}

if (process.argv[2] === "--check") check();
const found = findZig();
if (found === undefined) {
  process.stderr.write(`prebuild: ${noZig}.\n`);
  process.exit(1);
}
const { zig, version } = found;
process.stdout.write(`zig ${version}\n`);
const work = mkdtempSync(join(tmpdir(), "pupil-prebuild-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
const wanted = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
for (const [name, triple] of Object.entries(targets)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const [platform, arch] = name.split("-");
  const output = join(folder, `${name}.node`);
  const start = Date.now();
  const link = ["-Wl,-s", ...(platform === "win32" ? windowsExports(zig, work) : [])];
  await buildAddon([...zig, "cc"], { platform, arch, extra: ["-target", triple], link }, output);
  const kilobytes = Math.round(statSync(output).size / 1024);
  const seconds = Math.round((Date.now() - start) / 1000);
  process.stdout.write(`${name}: ${kilobytes} KiB, ${seconds} s\n`);
}
// The import library that the linker for Windows leaves beside a .dll.
for (const name of readdirSync(folder)) if (name.endsWith(".lib")) rmSync(join(folder, name));
const missing = Object.keys(targets).filter((name) => !existsSync(join(folder, `${name}.node`)));
// Only a whole set of binaries is of these sources.
if (wanted.length === 0 && missing.length === 0) writeFileSync(stamp, digest());
if (missing.length > 0) process.stdout.write(`not built: ${missing.join(", ")}\n`);
