import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Compiles the kernels before any test if their sources have changed. */
export function setup(): void {
  const script = fileURLToPath(new URL("../../scripts/build-wasm.mjs", import.meta.url));
  execFileSync(process.execPath, [script], { stdio: "inherit" });
}
