import type {
  backend_util,
  DataStorage,
  DataType,
  KernelBackend,
  TensorInfo,
} from "@tensorflow/tfjs-core";
import { WebGPUBackend, type WebGPUProgram } from "@tensorflow/tfjs-backend-webgpu";
import type { BufferPool } from "./buffer-pool.js";

/** What tfjs's backend knows of a tensor. */
export interface TensorData {
  values: backend_util.BackendValues | null;
  readonly dtype: DataType;
  readonly shape: number[];
  refCount: number;
  resource?: GPUBuffer | GPUTexture | GPUExternalTexture | null;
  /** Where it begins in its buffer, in bytes; ours. */
  offset?: number;
  /** Whether the buffer has binary16, two numbers to a word; ours. */
  isHalf?: boolean;
}

/** A uniform of a program of tfjs. */
export interface ProgramUniform {
  readonly type: string;
  readonly data: readonly number[];
}

/** The parts of tfjs's backend (its version is pinned) that ours replaces or calls, the private ones too. */
interface TfjsBackend extends KernelBackend {
  bufferManager: BufferPool;
  readonly device: GPUDevice;
  readonly queue: GPUQueue;
  readonly tensorMap: DataStorage<TensorData>;
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  uploadToGPU(dataId: object): void;
  getBufferData(buffer: GPUBuffer): Promise<ArrayBuffer>;
  makeTensorInfo(shape: number[], dtype: DataType, values?: backend_util.BackendValues): TensorInfo;
  recordAndSubmit(
    program: WebGPUProgram,
    output: TensorInfo,
    inputs: TensorInfo[],
    uniforms?: ProgramUniform[],
  ): void;
}

export const TfjsBackend = WebGPUBackend as unknown as new (
  device: GPUDevice,
  info: GPUAdapterInfo,
) => TfjsBackend;
