/** The conformance of every op on WebGPU: our kernels, and the composed ones where there is none. */
import { describe } from "vitest";
import { hasVulkan, onWebGpu, useWebGpu } from "../../setup/backends/webgpu.js";
import { describeOpsOn } from "../ops/describe-ops.js";

describe.skipIf(!hasVulkan)(onWebGpu, () => {
  describeOpsOn("WebGPU", useWebGpu, { composed: 4 });
});
