import { expect, test } from "vitest";
import { skippedLines } from "./skipped.js";

test("tests that were skipped for one reason are one line", () => {
  const webgpu = "WebGPU (needs npm run test:webgpu)";
  expect(
    skippedLines([
      [webgpu, "linear", "forward"],
      ["agrees", "on WebGPU (needs a driver)"],
      [webgpu, "attention (causal)"],
      ["a server in Python (none found)", "loads"],
      ["a block", "a test"],
    ]),
  ).toEqual([
    `skipped 2: ${webgpu}`,
    "skipped 1: on WebGPU (needs a driver)",
    "skipped 1: a server in Python (none found)",
    "skipped 1: a block > a test",
  ]);
});
