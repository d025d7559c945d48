/** `zig` of the PyPI wheel `ziglang`, and the platforms that it compiles the native kernels for. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./native-compiler.mjs";

/** Where the binaries go. */
export const folder = join(root, "prebuilds");

// glibc of 2018: Debian 10, RHEL 8, Ubuntu 18.10 and everything after them.
export const targets = {
  "linux-x64-glibc": "x86_64-linux-gnu.2.28",
  "linux-x64-musl": "x86_64-linux-musl",
  "linux-arm64-glibc": "aarch64-linux-gnu.2.28",
  "linux-arm64-musl": "aarch64-linux-musl",
  "darwin-arm64": "aarch64-macos",
  "darwin-x64": "x86_64-macos",
  "win32-x64": "x86_64-windows-gnu",
};

/** The command of zig and its version; undefined where there is none. */
export function findZig() {
  for (const python of [process.env["PUPIL_PYTHON"], "python3"]) {
    if (!python) continue;
    const { status, stdout } = spawnSync(python, ["-m", "ziglang", "version"]);
    if (status === 0) return { zig: [python, "-m", "ziglang"], version: stdout.toString().trim() };
  }
  return undefined;
}

export const noZig = "no zig: pip install ziglang, and name that Python in PUPIL_PYTHON";
