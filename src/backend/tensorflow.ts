import * as tf from "@tensorflow/tfjs-core";
import { registerTensorflowKernels } from "../ops/index.js";
import type { BackendCandidate, Device } from "./candidate.js";
import type { Platform, Unavailable } from "./platform.js";

const withCuda = "@tensorflow/tfjs-node-gpu";
/** CUDA first: with no usable GPU it computes on the CPU like the other package. */
const packages = [withCuda, "@tensorflow/tfjs-node"] as const;
const installCpu = "npm install @tensorflow/tfjs-node";

/** What we use of these packages' exports: they re-export tfjs, and register on import. */
interface TensorflowPackage {
  readonly version_core?: string;
  engine?(): unknown;
}

/** The packages' backend; `isUsingGpuDevice` is theirs. */
interface TensorflowBackend {
  readonly isUsingGpuDevice?: boolean;
}

/** Imports the first package that is installed. Importing makes it the current backend of tfjs. */
async function load(
  platform: Platform,
  names: readonly string[] = packages,
): Promise<Device | Unavailable> {
  if (platform.importOptional === undefined) {
    return { reason: "it runs in Node only", remedy: "Run this in Node." };
  }
  let broken: Unavailable | undefined;
  for (const name of names) {
    let loaded: TensorflowPackage | undefined;
    try {
      loaded = (await platform.importOptional(name)) as TensorflowPackage | undefined;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      broken ??= {
        reason: `${name} is installed but does not load: ${message.trim()}`,
        remedy: `Reinstall it: npm install ${name}.`,
      };
    }
    if (loaded === undefined) continue;
    const problem = differentInstance(name, loaded);
    if (problem === undefined) {
      registerTensorflowKernels();
      return device(platform);
    }
    broken ??= problem;
  }
  return (
    broken ?? {
      reason:
        names.length === 1
          ? `${withCuda} is not installed`
          : `neither @tensorflow/tfjs-node nor ${withCuda} is installed`,
      remedy: `Run npm install ${withCuda} for CUDA. On a CPU wasm is faster; to compare them: ${installCpu}.`,
    }
  );
}

/** A second copy of tfjs shares the global registry, but not always the code that fills it. */
function differentInstance(name: string, loaded: TensorflowPackage): Unavailable | undefined {
  const sameEngine = loaded.engine?.() === tf.engine();
  const sameVersion = loaded.version_core === tf.version_core;
  if (sameEngine && sameVersion && tf.findBackendFactory("tensorflow") !== null) return undefined;
  return {
    reason:
      `${name} brings its own copy of TensorFlow.js (${loaded.version_core ?? "unknown version"}, ` +
      `here ${tf.version_core})`,
    remedy: `Install the version that fits: npm install ${name}@${tf.version_core}.`,
  };
}

function device({ cpu }: Platform): Device {
  const backend = tf.findBackend("tensorflow") as unknown as TensorflowBackend;
  if (backend.isUsingGpuDevice) return { device: "the GPU through CUDA", threads: 1 };
  const passedOver = "it finds no GPU, and wasm is faster on a CPU";
  return { device: cpu.model, threads: cpu.cores, passedOver };
}

/** TensorFlow's C library through an optional package. */
export const tensorflowCandidate: BackendCandidate = {
  name: "tensorflow",
  needsGpu: true,
  packages,
  remedy: `Reinstall it: ${installCpu}.`,
  async inspect(platform) {
    const previous = tf.engine().backendName;
    const found = await load(platform);
    if (previous) await tf.setBackend(previous);
    return found;
  },
  async start(platform, { isNamed }) {
    const previous = tf.engine().backendName;
    // Of no use without a GPU, and large, so "auto" does not load the other one to find that out.
    const found = await load(platform, isNamed ? packages : [withCuda]);
    const next = "reason" in found ? previous : "tensorflow";
    if (next) await tf.setBackend(next);
    return found;
  },
};
