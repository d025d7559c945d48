import * as tf from "@tensorflow/tfjs-core";
import { startBackend, type StartBackendOptions } from "../../../src/backend/index.js";
import { nodePlatform } from "../../../src/node/platform.js";

/** Whether a Vulkan driver was named for this process, as `npm run test:webgpu` does. */
export const hasVulkan = process.env["VK_ICD_FILENAMES"] !== undefined;

/** Whether that is Mesa's lavapipe: it compiles large shaders fast, and has more than SwiftShader. */
export const hasLavapipe = /lvp_icd/.test(process.env["VK_ICD_FILENAMES"] ?? "");
export const onLavapipe = "WebGPU on Mesa (needs scripts/test/test-with-mesa.sh)";

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

/** Whether the adapter offers subgroup matrices with sums of f32, once they are asked for. */
export async function hasSubgroupMatrices(): Promise<boolean> {
  if (!hasVulkan) return false;
  const found = await nodePlatform.provideGpu({ allowSoftware: true, subgroupMatrices: true });
  if (!("gpu" in found)) return false;
  const adapter = await found.gpu.requestAdapter();
  const { subgroupMatrixConfigs = [] } = (adapter?.info ?? {}) as {
    subgroupMatrixConfigs?: Iterable<{ resultComponentType: string }>;
  };
  found.release();
  return [...subgroupMatrixConfigs].some((one) => one.resultComponentType === "f32");
}
