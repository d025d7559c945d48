/** Whole runs on WebGPU: every trainer against the same run on the CPU engine, stopped and resumed against a whole one. */
import { afterAll, afterEach, describe, test } from "vitest";
import { expectAsOnWasm } from "../../setup/runs/as-on-wasm.js";
import { useCpu } from "../../setup/backends/backend.js";
import { runKinds } from "../../setup/runs/run-kinds.js";
import {
  hasLavapipe,
  hasVulkan,
  onLavapipe,
  onWebGpu,
  useWebGpu,
} from "../../setup/backends/webgpu.js";

/** SwiftShader takes half a minute for some of the others. */
const everywhere = [
  "distill",
  "distill of an adapter",
  "distill from a recording",
  "pairs",
  "reinforce",
  "rank",
];

describe.skipIf(!hasVulkan)(`runs on ${onWebGpu}`, () => {
  afterEach(useCpu);
  afterAll(useCpu);

  const title = "%s: as on wasm, and resumed as whole";
  const others = Object.keys(runKinds).filter((kind) => !everywhere.includes(kind));
  const run = (kind: string) => expectAsOnWasm(kind, useWebGpu);
  test.each(everywhere)(title, run);
  test.skipIf(!hasLavapipe).each(others)(`${title}, ${onLavapipe}`, run);
});
