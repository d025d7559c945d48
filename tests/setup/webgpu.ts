import * as tf from "@tensorflow/tfjs-core";
import { startBackend, type StartBackendOptions } from "../../src/backend/index.js";
import { nodePlatform } from "../../src/node/platform.js";

/** Whether a Vulkan driver was named for this process, as `npm run test:webgpu` does. */
export const hasVulkan = process.env["VK_ICD_FILENAMES"] !== undefined;

/** Title of a block that is skipped elsewhere. */
export const onWebGpu = "WebGPU (needs npm run test:webgpu)";

/** WebGPU as the current backend. Go back with `useCpu` when done. */
export const useWebGpu = (): Promise<void> => use({});

/** The same, with frozen models held as binary16. */
export const useWebGpuWithHalves = (): Promise<void> => use({ halfTeachers: true });

async function use(options: Pick<StartBackendOptions, "halfTeachers">): Promise<void> {
  await startBackend("webgpu", { ...options, platform: nodePlatform, allowSoftwareAdapter: true });
  tf.env().set("WEBGPU_CPU_FORWARD", false);
}
