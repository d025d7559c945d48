/**
 * What a student of four layers asks of the GPU, and how fast it is: `tsx bench/gpu/child.ts '{"size": "small", ...}'`
 * ({@link GpuRequest}), in an environment where a GPU is found. Prints a line of JSON ({@link GpuReport}).
 */
import * as tf from "@tensorflow/tfjs-core";
import * as pupil from "../../src/index.js";
import { describeAdapter, isSoftwareAdapter } from "../../src/backend/software-adapter.js";
import { nodePlatform } from "../../src/node/platform.js";
import { setMatmulTiles } from "../../src/ops/index.js";
import { startComposed } from "./composed.js";
import { meterGpu, noMeter } from "./meter.js";
import { measureFmaPeak, measureMatmul } from "./peak.js";
import { type GpuReport, type GpuRequest, gpuSizes, type GpuStep } from "./report.js";
import { makeTraining } from "./workload.js";

const request = JSON.parse(process.argv[2] ?? "{}") as Partial<GpuRequest>;
const { size = "tiny", kernels = "own", steps = 5, tiles, brief = false } = request;
const { newTokens } = gpuSizes[size];
process.on("uncaughtException", (error) => {
  console.error(error instanceof pupil.PupilError ? `error: ${error.message}` : error);
  process.exit(1);
});

async function start(): Promise<string> {
  if (kernels === "composed") return startComposed(describeAdapter);
  const options = { platform: nodePlatform, allowSoftwareAdapter: true };
  const backend = kernels === "tensorflow" ? kernels : "webgpu";
  const { device } = await pupil.startBackend(backend, options);
  return device;
}

/** What the device can do at most; a program on the CPU is given less to do. */
async function measurePeaks(): Promise<
  Pick<GpuReport, "fmaGflops" | "matmulGflops" | "matmulRows">
> {
  if (kernels !== "own") return {};
  const { device: gpu } = tf.backend() as unknown as { device: GPUDevice };
  const [matmulRows, repeats, groups] = isSoftwareAdapter(gpu.adapterInfo)
    ? ([256, 2, 8] as const)
    : ([1024, 50, 4096] as const);
  const matmulGflops = await measureMatmul(matmulRows, repeats);
  return { matmulRows, matmulGflops, fmaGflops: await measureFmaPeak(gpu, groups) };
}

/** What the backend has asked of the device; it keeps what is free for the next step. */
function memoryBytes(): number | undefined {
  return (tf.memory() as { numBytesAllocatedInGPU?: number }).numBytesAllocatedInGPU;
}

// First, as what is checked at the start is products in these.
setMatmulTiles(tiles);
const device = await start();
const training = makeTraining(size, kernels === "tensorflow" ? noMeter : meterGpu());
const offPolicy = await training.train({ onPolicyFraction: 0, steps });
const bytes = memoryBytes();

/** Generations, of which the first two compile everything, one of them long and one short; and on-policy steps. */
async function measureOnPolicy(): Promise<Pick<GpuReport, "generations" | "onPolicy">> {
  if (brief) return { generations: [], onPolicy: [] };
  const generations: GpuStep[] = [];
  for (const tokens of [newTokens, newTokens / 2, newTokens, newTokens / 2]) {
    generations.push(await training.generate(tokens));
  }
  const onPolicy = await training.train({ onPolicyFraction: 1, steps });
  return { generations: generations.slice(2), onPolicy };
}

const report: GpuReport = {
  ...{ device, kernels, size, offPolicy },
  ...(bytes !== undefined && { memoryBytes: bytes }),
  ...(await measureOnPolicy()),
  ...(await measurePeaks()),
};
process.stdout.write(`${JSON.stringify(report)}\n`);
training.dispose();
process.exit(0);
