import * as tf from "@tensorflow/tfjs-core";
import { registerWebGpuKernels } from "../ops/index.js";
import { readValues } from "../tensors/index.js";
import { type BackendCandidate, type CandidateOptions, isUnavailable } from "./candidate.js";
import type { GpuAccess, Platform, Unavailable } from "./platform.js";
import { describeAdapter, isSoftwareAdapter } from "./software-adapter.js";
import { deviceFailure } from "./webgpu/device-errors.js";
import type { HalfBackend } from "./webgpu/half-backend.js";
import { takeOptions } from "./webgpu/options.js";

interface Adapter {
  readonly adapter: GPUAdapter;
  readonly access: GpuAccess;
}

const noAdapter: Unavailable = {
  reason: "no GPU adapter was found",
  remedy: "Install the GPU's driver (on Linux with Vulkan support) and check that it sees the GPU.",
};

function softwareOnly(info: GPUAdapterInfo): Unavailable {
  return {
    reason: `the only adapter is a software one, ${describeAdapter(info)}`,
    remedy:
      "Install the GPU's driver, or allow a software adapter with allowSoftwareAdapter: true (in Node PUPIL_SOFTWARE_GPU=1 does, too).",
  };
}

async function findAdapter(
  platform: Platform,
  { allowSoftwareAdapter, verbose, subgroupMatrices }: CandidateOptions,
): Promise<Adapter | Unavailable> {
  const access = await platform.provideGpu({
    allowSoftware: allowSoftwareAdapter,
    ...(verbose !== undefined && { verbose }),
    ...(subgroupMatrices !== undefined && { subgroupMatrices }),
  });
  if (isUnavailable(access)) return access;
  let adapter: GPUAdapter | null = null;
  try {
    adapter = await access.gpu.requestAdapter({ powerPreference: "high-performance" });
    if (adapter !== null && (allowSoftwareAdapter || !isSoftwareAdapter(adapter.info))) {
      const tooSmall = limitProblem(adapter);
      if (tooSmall === undefined) return { adapter, access };
      access.release();
      return tooSmall;
    }
  } catch (error) {
    access.release();
    throw error;
  }
  access.release();
  return adapter === null ? noAdapter : softwareOnly(adapter.info);
}

/** What our shaders use. A conformant adapter has it; one in compatibility mode may not. */
const neededLimits = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupStorageSize: 16384,
} as const;

/** The first limit of the adapter that is too small, if any is. */
function limitProblem({ info, limits }: Pick<GPUAdapter, "info" | "limits">) {
  const names = Object.keys(neededLimits) as (keyof typeof neededLimits)[];
  const small = names.find((name) => limits[name] < neededLimits[name]);
  if (small === undefined) return undefined;
  return {
    reason: `${describeAdapter(info)} has ${small} ${limits[small]}, and ${neededLimits[small]} is needed`,
    remedy: 'Use another GPU, a newer driver, or the backend "wasm".',
  };
}

/** The adapter's own limits instead of the portable minimum, as large tensors need them. */
function deviceDescriptor({ features, limits }: GPUAdapter): GPUDeviceDescriptor {
  const wanted = [
    ...["timestamp-query", "bgra8unorm-storage", "subgroups"],
    ...["shader-f16", "chromium-experimental-subgroup-matrix"],
  ];
  return {
    // WebGPU's types do not know all of them yet.
    requiredFeatures: wanted.filter((feature) => features.has(feature)) as GPUFeatureName[],
    requiredLimits: {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
    },
  };
}

let hasKernels = false;

/** A device that comes after a lost one runs the same kernels. */
function registerKernelsOnce(): void {
  if (!hasKernels) registerWebGpuKernels();
  hasKernels = true;
}

/** What is running, if anything: one device per process, as its tensors live on it. */
let running: { readonly device: GPUDevice; readonly info: GPUAdapterInfo } | undefined;

async function startOn(
  { adapter, access }: Adapter,
  platform: Platform,
  {
    replaySteps = access.replaySteps ?? true,
    subgroups = access.subgroups ?? false,
    subgroupMatrices = access.subgroupMatrices ?? false,
    halfTeachers = access.halfTeachers ?? false,
  }: CandidateOptions,
): Promise<void> {
  const previous = tf.engine().backendName;
  let device: GPUDevice | undefined;
  try {
    device = await adapter.requestDevice(deviceDescriptor(adapter));
    // After `navigator.gpu` is there: the package looks for it, and its kernels for the globals.
    const { HalfBackend } = await import("./webgpu/half-backend.js");
    const backend = new HalfBackend(device, adapter.info);
    backend.replays = replaySteps;
    // The package's own factory asks for an adapter again, without our conditions.
    if (tf.findBackendFactory("webgpu") !== null) tf.removeBackend("webgpu");
    tf.registerBackend("webgpu", () => backend, 3);
    registerKernelsOnce();
    await tf.setBackend("webgpu");
    if (!(await multipliesRight())) throw new Error("a matrix product came out wrong");
    await takeOptions(backend, device, adapter.info, { subgroups, subgroupMatrices, halfTeachers });
  } catch (error) {
    if (tf.findBackendFactory("webgpu") !== null) tf.removeBackend("webgpu");
    if (previous) await tf.setBackend(previous);
    device?.destroy();
    access.release();
    throw error;
  }
  const started = { device, info: adapter.info };
  running = started;
  // Another start then asks for a new device.
  void device.lost.then(() => {
    if (running === started) running = undefined;
  });
  // Leaving with GPU work under way crashes Dawn in about every second process.
  platform.onExit(() => started.device.destroy());
}

/** From a device on which something failed nothing can be read any more: its memory goes to the next one. */
function endFailedDevice(): void {
  if (running === undefined || deviceFailure(running.device) === undefined) return;
  running.device.destroy();
  running = undefined;
}

/** A driver can hand out a device and still compute nothing. */
async function multipliesRight(): Promise<boolean> {
  const size = 64; // Large enough that tfjs does not compute it on the CPU.
  const product = tf.tidy(() => tf.matMul(tf.fill([size, size], 2), tf.ones([size, size])));
  const values = await readValues(product, "float32");
  return values.every((value) => value === 2 * size);
}

/** WebGPU: Dawn in Node, `navigator.gpu` elsewhere. */
export const webgpuCandidate: BackendCandidate = {
  name: "webgpu",
  needsGpu: true,
  packages: ["@tensorflow/tfjs-backend-webgpu", "webgpu"],
  remedy: "Update the GPU's driver.",
  async inspect(platform, options) {
    if (running !== undefined) return usableDevice(running.info, options);
    const found = await findAdapter(platform, options);
    if (isUnavailable(found)) return found;
    found.access.release();
    return usableDevice(found.adapter.info, options);
  },
  async start(platform, options) {
    endFailedDevice();
    if (running !== undefined) {
      const device = usableDevice(running.info, options);
      if (isUnavailable(device)) return device;
      await tf.setBackend("webgpu");
      const backend = tf.backend() as HalfBackend;
      backend.replays = options.replaySteps ?? backend.replays;
      await takeOptions(backend, running.device, running.info, options);
      return device;
    }
    const found = await findAdapter(platform, options);
    if (isUnavailable(found)) return found;
    await startOn(found, platform, options);
    return usableDevice(found.adapter.info, options);
  },
};

function usableDevice(info: GPUAdapterInfo, { allowSoftwareAdapter }: CandidateOptions) {
  if (!allowSoftwareAdapter && isSoftwareAdapter(info)) return softwareOnly(info);
  return { device: describeAdapter(info), threads: 1 };
}
