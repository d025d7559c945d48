import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PupilError } from "../../src/errors/index.js";
import { vulkanEnvironment } from "../../scripts/vulkan-driver.mjs";
import { textTable } from "../tables/tables.js";
import { type GpuReport, type GpuRequest, gpuTable } from "./report.js";

export interface GpuBenchmark extends Omit<GpuRequest, "kernels"> {
  readonly kernels: readonly GpuRequest["kernels"][];
  readonly json?: string;
}

const child = fileURLToPath(new URL("child.ts", import.meta.url));

/** Runs a child; throws with what it said if it gives no report. */
export function measureInChild(request: GpuRequest, env: NodeJS.ProcessEnv): GpuReport {
  const args = ["--import", "tsx", child, JSON.stringify(request)];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
  const line = stdout.trim().split("\n").at(-1) ?? "";
  if (status !== 0 || !line.startsWith("{")) {
    throw new PupilError(`the GPU benchmark (${request.kernels}) ended: ${whatItSaid(stderr)}`, {
      remedy: "See what WebGPU finds here with: pupil doctor --verbose",
    });
  }
  return JSON.parse(line) as GpuReport;
}

/** The message of the error that a process ended with, else its last lines. */
function whatItSaid(stderr: string): string {
  const lines = stderr.trim().split("\n");
  const message = lines.find((line) => line.startsWith("error: "));
  return message?.replace("error: ", "") ?? lines.slice(-12).join("\n");
}

/** Prints what a step asks of the GPU that is there, ours beside the composed path. */
export function benchmarkGpu({ json, kernels, ...request }: GpuBenchmark): void {
  const env = vulkanEnvironment();
  const reports = kernels.map((which) => {
    process.stderr.write(`… ${request.size}, ${which}\n`);
    return measureInChild({ ...request, kernels: which }, env);
  });
  console.log(textTable(gpuTable(reports)));
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(reports, null, 1)}\n`);
}
