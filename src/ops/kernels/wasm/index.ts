export type { Block } from "./engine/allocator.js";
export {
  type EngineOptions,
  type EnginePlatform,
  type KernelBuild,
  type KernelFile,
  relaxedProbe,
  WasmEngine,
  type WorkerTask,
} from "./engine/engine.js";
export {
  describeExecutor,
  type Executor,
  type NativeExecutor,
  nativeExecutors,
  type NativeKernels,
} from "./engine/executor.js";
export { registerWasmKernels } from "./register.js";
export type { WasmTensors } from "./registry.js";
export { webAssembly } from "./engine/webassembly.js";
