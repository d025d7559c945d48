/** Which native kernels are taken, and what is said where there are none. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { availableExecutors, nativeKernels } from "../../../src/node/native-kernels.js";
import { useCpu } from "../../setup/backends/backend.js";
import { useWasmEngine } from "../../setup/backends/wasm-engine.js";

const variable = process.env["PUPIL_EXECUTOR"];
afterEach(() => {
  if (variable === undefined) Reflect.deleteProperty(process.env, "PUPIL_EXECUTOR");
  else process.env["PUPIL_EXECUTOR"] = variable;
});

test("WebAssembly is always there, and the fastest comes first", () => {
  Reflect.deleteProperty(process.env, "PUPIL_EXECUTOR");
  const [fastest, ...others] = availableExecutors();
  expect([fastest, ...others].at(-1)).toBe("wasm");
  const taken = nativeKernels(undefined);
  expect("attach" in taken ? taken.executor : "wasm").toBe(fastest);
});

test("the environment variable forces an executor, an option wins over it", async () => {
  process.env["PUPIL_EXECUTOR"] = "wasm";
  expect(nativeKernels(undefined)).toEqual({ reason: "PUPIL_EXECUTOR says so" });
  const { engine } = await useWasmEngine();
  expect(engine.executorDescription).toBe("wasm: PUPIL_EXECUTOR says so");
  const [fastest] = availableExecutors();
  const chosen = await useWasmEngine(fastest === undefined ? {} : { executor: fastest });
  expect(chosen.engine.executor).toBe(fastest);
  await useCpu();
});

test("an executor that does not run here is refused by name", () => {
  process.env["PUPIL_EXECUTOR"] = "avx1024";
  expect(() => nativeKernels(undefined)).toThrow(/PUPIL_EXECUTOR.*avx1024/s);
  expect(() => nativeKernels(undefined)).toThrow(/Choose one of .*wasm/);
});

const prebuilt = ["glibc", "musl"]
  .map((libc) => `../../../prebuilds/linux-${process.arch}-${libc}.node`)
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .filter((path) => existsSync(path));

// Another C library than Node's own refuses to load, which must not end the process.
test.skipIf(prebuilt.length === 0)("prebuilt addons load or are refused", () => {
  const script = `
    for (const path of ${JSON.stringify(prebuilt)}) {
      try { console.log(require(path).executors().length > 0); }
      catch (error) { console.log(error.code); }
    }`;
  const { status, stdout } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
  expect(status).toBe(0);
  expect(stdout.trim().split("\n")).toContain("true");
});
