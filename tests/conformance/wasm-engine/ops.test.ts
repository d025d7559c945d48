/** The conformance of every op on our CPU engine, in both builds, on one and on two threads. */
import { engineVariants, useWasmEngine } from "../../setup/wasm-engine.js";
import { describeOpsOn } from "../ops/describe-ops.js";

for (const variant of engineVariants) {
  const name = `the ${variant.build} build, ${variant.numThreads} thread(s)`;
  describeOpsOn(name, () => useWasmEngine(variant), true);
}
