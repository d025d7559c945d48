/** Whole runs on TensorFlow: every trainer against the same run on the CPU engine, stopped and resumed against a whole one. */
import { afterAll, afterEach, describe, test } from "vitest";
import { expectAsOnWasm } from "../../setup/runs/as-on-wasm.js";
import { useCpu } from "../../setup/backends/backend.js";
import { runKinds } from "../../setup/runs/run-kinds.js";
import { hasTensorflow, onTensorflow, useTensorflow } from "../../setup/backends/tensorflow.js";

describe.skipIf(!hasTensorflow)(`runs on ${onTensorflow}`, () => {
  afterEach(useCpu);
  afterAll(useCpu);

  test.each(Object.keys(runKinds))("%s: as on wasm, and resumed as whole", async (kind) => {
    await expectAsOnWasm(kind, useTensorflow);
  });
});
