/**
 * The conformance of every op on our CPU engine, in both builds. These inputs are too small to be
 * shared between threads: see threads.test.ts for that.
 */
import { useWasmEngine } from "../../setup/wasm-engine.js";
import { describeOpsOn } from "../ops/describe-ops.js";

for (const build of ["relaxed", "plain"] as const) {
  describeOpsOn(`the engine, ${build} build`, () => useWasmEngine({ build }));
}
