import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { PupilError } from "../errors/index.js";
import { type Executor, type NativeExecutor, type NativeKernels } from "../ops/index.js";

/** What the addon exports; see native/engine/addon.c. */
interface Addon {
  executors(): NativeExecutor[];
  attach(
    bytes: Uint8Array,
    executor: NativeExecutor,
    numThreads: number,
    maxBytes: number,
  ): ReturnType<NativeKernels["attach"]>;
}

const require = createRequire(import.meta.url);
// The same from sources (src/node) and from what is shipped (dist/node).
const packageFile = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** glibc or musl: an addon is linked to one of them. */
function libc(): string {
  if (process.platform !== "linux") return "";
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined ? "-musl" : "-glibc";
}

/** The addon: compiled here before prebuilt, or why there is none. */
function load(): Addon | { readonly reason: string } {
  const prebuilt = packageFile(`prebuilds/${process.platform}-${process.arch}${libc()}.node`);
  // What was compiled here comes first; a sanitizer's build before everything.
  const named = process.env["PUPIL_ADDON"];
  const files = named ? [named] : [packageFile("native/build/pupil.node"), prebuilt];
  let reason: string | undefined;
  for (const file of files) {
    if (!existsSync(file)) continue;
    try {
      return require(file) as Addon;
    } catch (error) {
      reason = `its addon does not load (${String(error instanceof Error ? error.message : error).split("\n")[0]})`;
    }
  }
  const written = packageFile("native/build/reason.txt");
  if (reason === undefined && existsSync(written)) reason = readFileSync(written, "utf8").trim();
  return { reason: reason ?? "there is no native build for this machine" };
}

let loaded: ReturnType<typeof load> | undefined;

/** Executors that run on this machine, the fastest first; `wasm` is always among them. */
export function availableExecutors(): Executor[] {
  loaded ??= load();
  return "reason" in loaded ? ["wasm"] : [...loaded.executors(), "wasm"];
}

/**
 * The native kernels that `wanted` or the environment variable PUPIL_EXECUTOR names, else the fastest
 * that this CPU runs, else why there are none.
 */
export function nativeKernels(
  wanted: Executor | undefined,
): NativeKernels | { readonly reason: string } {
  const variable = process.env["PUPIL_EXECUTOR"];
  const name = wanted ?? (variable === "" ? undefined : variable);
  if (name === "wasm")
    return { reason: wanted === undefined ? "PUPIL_EXECUTOR says so" : "asked for" };
  loaded ??= load();
  const available = "reason" in loaded ? [] : loaded.executors();
  const executor = name === undefined ? available[0] : available.find((other) => other === name);
  if (executor !== undefined && !("reason" in loaded)) {
    const { attach } = loaded;
    return {
      executor,
      attach: (bytes, numThreads, maxBytes) => attach(bytes, executor, numThreads, maxBytes),
    };
  }
  const reason = "reason" in loaded ? loaded.reason : "none of the native kernels run on this CPU";
  if (name === undefined) return { reason };
  throw new PupilError(`this machine has no executor ${JSON.stringify(name)}.`, {
    field: wanted === undefined ? "PUPIL_EXECUTOR" : "executor",
    value: name,
    remedy: `Choose one of ${availableExecutors().join(", ")}.`,
  });
}
