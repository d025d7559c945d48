import * as tf from "@tensorflow/tfjs-core";
import {
  type EngineOptions,
  type EnginePlatform,
  registerWasmKernels,
  WasmEngine,
} from "../../ops/index.js";
import { WasmBackend } from "./backend.js";

/**
 * The outputs of a JavaScript kernel. Some relabel the bytes of an int32 or bool tensor as another
 * type, which is right only where every kernel reads JavaScript arrays.
 */
function typed(
  outputs: tf.TensorInfo | tf.TensorInfo[],
  backend: object,
): tf.TensorInfo | tf.TensorInfo[] {
  return Array.isArray(outputs)
    ? outputs.map((output) => (backend as WasmBackend).withOwnType(output))
    : (backend as WasmBackend).withOwnType(outputs);
}

/**
 * Registers our backend with tfjs as `wasm` (replacing one of that name), with every kernel of the
 * `cpu` backend and our own in their place, and makes it the current backend.
 */
export async function startWasmBackend(
  platform: EnginePlatform,
  options: EngineOptions = {},
): Promise<WasmBackend> {
  const engine = await WasmEngine.start(platform, options);
  if (tf.findBackendFactory("wasm") !== null) tf.removeBackend("wasm");
  const backend = new WasmBackend(engine);
  registerKernelsOnce();
  tf.registerBackend("wasm", () => backend, 2);
  await tf.setBackend("wasm");
  return backend;
}

let registered = false;

/** The JavaScript kernels, in the place of another wasm backend's, and ours in the place of some. */
function registerKernelsOnce(): void {
  if (registered) return;
  registered = true;
  for (const { kernelName } of tf.getKernelsForBackend("wasm")) {
    tf.unregisterKernel(kernelName, "wasm");
  }
  for (const config of tf.getKernelsForBackend("cpu")) {
    const kernelFunc: tf.KernelFunc = (call) => typed(config.kernelFunc(call), call.backend);
    tf.registerKernel({ ...config, backendName: "wasm", kernelFunc });
  }
  registerWasmKernels();
}
