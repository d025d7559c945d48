import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** Compiles the package into dist if a source is newer: for tests of what its users get. */
export function compilePackage(): void {
  const sources = join(repository, "src");
  const changed = readdirSync(sources, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => statSync(join(sources, name)).mtimeMs);
  const stamp = join(repository, "dist/.tsbuildinfo");
  if (existsSync(stamp) && statSync(stamp).mtimeMs > Math.max(...changed)) return;
  const run = (...args: string[]) => execFileSync(process.execPath, args, { cwd: repository });
  run("node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json");
  run("scripts/compile/build-wasm.mjs");
}
