import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Compiles the kernels, in WebAssembly and for this machine, before any test if their sources have changed. */
export function setup(): void {
  for (const name of ["build-tfjs-registrations", "build-wasm", "build-native"]) {
    const script = fileURLToPath(new URL(`../../../scripts/compile/${name}.mjs`, import.meta.url));
    execFileSync(process.execPath, [script], { stdio: "inherit" });
  }
}
