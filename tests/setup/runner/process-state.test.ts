import * as tf from "@tensorflow/tfjs-core";
import { expect, test, vi } from "vitest";
import { useCpu } from "../backends/backend.js";
import { changesSince, forgetEngine, processState } from "./process-state.js";
import { useWasmEngine } from "../backends/wasm-engine.js";

test("what a file leaves changed is named, and gone when it is put back", () => {
  const before = processState();
  expect(changesSince(before)).toEqual([]);
  const listener = () => {};
  process.on("SIGTERM", listener);
  process.env["PUPIL_TEST_STATE"] = "1";
  vi.useFakeTimers({ toFake: ["setInterval"] });
  vi.stubGlobal("fetch", () => {});
  vi.stubGlobal("document", {});
  expect(changesSince(before).sort()).toEqual([
    "globalThis.document",
    "globalThis.fetch",
    "globalThis.setInterval",
    "listeners of SIGTERM",
    "process.env.PUPIL_TEST_STATE",
  ]);
  process.off("SIGTERM", listener);
  Reflect.deleteProperty(process.env, "PUPIL_TEST_STATE");
  vi.useRealTimers();
  vi.unstubAllGlobals();
  expect(changesSince(before)).toEqual([]);
});

test("an engine that was left running is ended", async () => {
  const { engine } = await useWasmEngine();
  await useCpu();
  forgetEngine();
  expect(tf.findBackendFactory("wasm")).toBeNull();
  const next = await useWasmEngine();
  expect(next.engine).not.toBe(engine);
  await useCpu();
});
