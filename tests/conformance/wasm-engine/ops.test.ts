/**
 * The conformance of every op on our CPU engine, on every executor. These inputs are too small to be
 * shared between threads: see threads.test.ts for that.
 */
import { executors, useWasmEngine } from "../../setup/backends/wasm-engine.js";
import { describeOpsOn } from "../ops/describe-ops.js";

for (const { name, options } of executors) {
  describeOpsOn(`the engine, ${name}`, () => useWasmEngine(options));
}
