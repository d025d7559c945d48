import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../../src/errors/index.js";
import { nodePlatform } from "../../src/node/platform.js";

/**
 * tfjs's own WebGPU backend as it is, with none of our kernels: every op of ours runs as it is composed of tfjs's.
 *
 * @returns what to call the adapter
 */
export async function startComposed(describe: (info: GPUAdapterInfo) => string): Promise<string> {
  const access = await nodePlatform.provideGpu({ allowSoftware: true });
  if (!("gpu" in access)) {
    throw new PupilError(`There is no WebGPU: ${access.reason}.`, { remedy: access.remedy });
  }
  const adapter = await access.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) throw new PupilError("No GPU adapter was found.");
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredLimits: {
      maxBufferSize,
      maxStorageBufferBindingSize,
      maxStorageBuffersPerShaderStage: adapter.limits.maxStorageBuffersPerShaderStage,
      maxComputeWorkgroupStorageSize: adapter.limits.maxComputeWorkgroupStorageSize,
      maxComputeWorkgroupsPerDimension: adapter.limits.maxComputeWorkgroupsPerDimension,
      maxComputeInvocationsPerWorkgroup: adapter.limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX: adapter.limits.maxComputeWorkgroupSizeX,
    },
  });
  const { WebGPUBackend } = await import("@tensorflow/tfjs-backend-webgpu");
  const backend = new WebGPUBackend(device, adapter.info);
  if (tf.findBackendFactory("webgpu") !== null) tf.removeBackend("webgpu");
  tf.registerBackend("webgpu", () => backend, 3);
  await tf.setBackend("webgpu");
  process.once("exit", () => device.destroy());
  return describe(adapter.info);
}
