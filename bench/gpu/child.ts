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
import { type GpuReport, type GpuRequest, gpuSizes } from "./report.js";
import { makeTraining } from "./workload.js";

const request = JSON.parse(process.argv[2] ?? "{}") as Partial<GpuRequest>;
const { size = "tiny", kernels = "own", steps = 5, tiles } = request;
const { newTokens } = gpuSizes[size];

async function start(): Promise<string> {
  if (kernels === "composed") return startComposed(describeAdapter);
  const options = { platform: nodePlatform, allowSoftwareAdapter: true };
  const backend = kernels === "tensorflow" ? kernels : "webgpu";
  const { device } = await pupil.startBackend(backend, options);
  return device;
}

/** What the device can do at most; a program on the CPU takes too long for it. */
async function measurePeaks(): Promise<Pick<GpuReport, "fmaGflops" | "matmulGflops">> {
  if (kernels !== "own" || size === "tiny") return {};
  const { device: gpu } = tf.backend() as unknown as { device: GPUDevice };
  const isSoftware = isSoftwareAdapter(gpu.adapterInfo);
  const matmulGflops = await measureMatmul(1024, isSoftware ? 1 : 50);
  return { matmulGflops, ...(isSoftware ? {} : { fmaGflops: await measureFmaPeak(gpu, 4096) }) };
}

const device = await start();
setMatmulTiles(tiles);
const training = makeTraining(size, kernels === "tensorflow" ? noMeter : meterGpu());
const offPolicy = await training.train({ onPolicyFraction: 0, steps });
// Everything is compiled in the first two, one of them long and one short.
await training.generate(newTokens);
await training.generate(newTokens / 2);
const report: GpuReport = {
  ...{ device, kernels, size, offPolicy },
  generations: [await training.generate(newTokens), await training.generate(newTokens / 2)],
  onPolicy: await training.train({ onPolicyFraction: 1, steps }),
  ...(await measurePeaks()),
};
process.stdout.write(`${JSON.stringify(report)}\n`);
training.dispose();
process.exit(0);
