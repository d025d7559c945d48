/**
 * Tries tiles of the matrix products, each in a process of its own: `tsx bench/gpu/sweep.ts SIZE STEPS FOLDER [SPEC]`, where
 * SPEC has values for some of the five, as `threadRows=2,4 depth=8,16`, and for `matrices`, 0 or 1. Writes FOLDER/sweep.jsonl.
 */
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { vulkanEnvironment } from "../../scripts/vulkan-driver.mjs";
import { PupilError } from "../../src/errors/index.js";
import { measureInChild } from "./main.js";
import { type GpuSizeName, gpuSizeNames } from "./report.js";
import { tileChoices } from "./tiles.js";

const [size = "small", steps = "10", folder = "bench-gpu", spec = ""] = process.argv.slice(2);
try {
  sweep();
} catch (error) {
  console.error(error instanceof PupilError ? error.message : error);
  process.exitCode = 1;
}

function sweep(): void {
  if (!gpuSizeNames.includes(size as GpuSizeName))
    throw new PupilError(`there is no size ${size}.`);
  const file = join(folder, "sweep.jsonl");
  writeFileSync(file, "");
  const choices = tileChoices(spec);
  for (const [i, choice] of choices.entries()) {
    const { matrices, ...tiles } = choice;
    const words = Object.entries(choice).map(([name, value]) => `${name}=${value}`);
    const name = words.join(",");
    process.stderr.write(`… tiles ${i + 1} of ${choices.length}: ${name}\n`);
    try {
      const request = { size: size as GpuSizeName, steps: Number(steps), kernels: "own" } as const;
      const env = {
        ...vulkanEnvironment(),
        ...(matrices !== undefined && { PUPIL_WEBGPU_SUBGROUP_MATRICES: String(matrices) }),
      };
      const report = measureInChild({ ...request, tiles, brief: true }, env);
      appendFileSync(file, `${JSON.stringify({ tiles: name, reports: [report] })}\n`);
    } catch (error) {
      console.log(`SKIPPED: ${name} does not run here: ${(error as Error).message}`);
    }
  }
}
