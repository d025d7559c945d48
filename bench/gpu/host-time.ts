/**
 * What a step takes of the host's time, without its wait for the device, computed in full and replayed, in one process:
 * `node --import tsx bench/gpu/host-time.ts tiny 12`, and with `on-policy` behind it that of a step with sampling.
 */
import { spawnSync } from "node:child_process";
import * as tf from "@tensorflow/tfjs-core";
import * as pupil from "../../src/index.js";
import { nodePlatform } from "../../src/node/platform.js";
import { vulkanEnvironment } from "../../scripts/vulkan-driver.mjs";
import { median } from "../statistics.js";
import { meterGpu } from "./meter.js";
import type { GpuSizeName } from "./report.js";
import { makeTraining } from "./workload.js";

const driverName = "VK_ICD_FILENAMES";
const env = vulkanEnvironment();
if (env[driverName] !== process.env[driverName]) {
  // The loader of Vulkan reads it when the process begins.
  const args = [...process.execArgv, ...process.argv.slice(1)];
  process.exit(spawnSync(process.execPath, args, { env, stdio: "inherit" }).status ?? 1);
}

const [size = "tiny", steps = "12", kind = "off-policy"] = process.argv.slice(2);
const onPolicyFraction = kind === "on-policy" ? 1 : 0;
/** Of the first steps some things are made. */
const warmUp = 4;

await pupil.startBackend("webgpu", { platform: nodePlatform, allowSoftwareAdapter: true });
const training = makeTraining(size as GpuSizeName, meterGpu());
const results: Record<string, object> = {};
for (const replays of [false, true]) {
  Object.assign(tf.backend(), { replays });
  const counted = await training.train({ onPolicyFraction, steps: Number(steps) });
  const ms = counted.slice(warmUp).map(({ hostMs }) => hostMs);
  const [least, middle] = [Math.min(...ms), median(ms)].map((time) => Number(time.toFixed(2)));
  const { dispatches, submits, bindGroups, buffers } = counted.at(-1) as (typeof counted)[number];
  const counts = { dispatches, submits, bindGroups, buffers };
  results[replays ? "replayed" : "in full"] = {
    ...{ "least ms": least, "median ms": middle, steps: ms.length },
    ...counts,
  };
}
console.table(results);
training.dispose();
process.exit(0);
