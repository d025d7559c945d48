import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { BufferPool } from "../buffer-pool.js";
import type { TensorData } from "../tfjs-backend.js";
import type { Command } from "./commands.js";

/** What recordings need of the backend whose commands they are. */
export interface RecordingHost {
  readonly device: GPUDevice;
  readonly pool: BufferPool;
  dataOf(dataId: object): TensorData | undefined;
  /** Takes over a tensor that another backend has. */
  bring(dataId: object): void;
  /** Brings what is only on the host to the device. */
  uploadToGPU(dataId: object): void;
  /** For commands in a pass, and outside of one. */
  openPass(): GPUComputePassEncoder;
  openEncoder(): GPUCommandEncoder;
  /** To be called after each shader's call. */
  countCall(): void;
  submitQueue(): void;
  /** A tensor for values that lie in a buffer, which is taken for it. */
  tensorIn(buffer: GPUBuffer, offset: number, shape: readonly number[]): TensorInfo;
  /** The constant of a kernel that a buffer holds, if it does. */
  constantIn(buffer: GPUBuffer): object | undefined;
  /** Words of the array that all tensors in a buffer are, 0 if they are none; undefined if only one lies in it. */
  sharedWords(buffer: GPUBuffer): number | undefined;
  /** Notes the same of a buffer. */
  share(buffer: GPUBuffer, words: number): void;
}

/** The commands of a computation while it runs. */
export interface CommandLog {
  readonly commands: Command[];
  /** The tensor that is being brought to the device, if it is one of those that are read. */
  input?: number;
  /** What cannot be carried out again. */
  problem?: string;
}
