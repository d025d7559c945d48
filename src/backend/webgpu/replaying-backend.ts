import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type {
  RecordedCall,
  RecordedResult,
  RecordingBackend,
  SizeKeepingBackend,
} from "../../tensors/index.js";
import type { MergedArray, Place } from "./array-places.js";
import { type Bound, Bindings } from "./bindings.js";
import { CommandBackend } from "./command-backend.js";
import type { CommandLog, RecordingHost } from "./replay/host.js";
import { Recorder, type ReplayReport } from "./replay/recorder.js";
import type { TensorData } from "./tfjs-backend.js";

/** Where tensors lie in buffers, alone or with others, how shaders are given them, and steps that are replayed there. */
export abstract class ReplayingBackend
  extends CommandBackend
  implements RecordingBackend, SizeKeepingBackend, RecordingHost
{
  /** In an array of a shader. */
  mostBytes: number;
  /** Whether steps are replayed. */
  replays = false;
  /** See {@link SizeKeepingBackend}. */
  roundsLengths = true;
  /** Buffers that several tensors lie in; for those of `pack`, with the array of all of them. */
  protected readonly packs = new Map<GPUBuffer, TensorInfo | undefined>();
  /** By buffer, a kernel's constant. */
  protected readonly constants = new Map<GPUBuffer, object>();
  protected readonly bindings: Bindings;
  private readonly recorder: Recorder;

  constructor(device: GPUDevice, info: GPUAdapterInfo) {
    super(device, info);
    this.mostBytes = device.limits.maxStorageBufferBindingSize;
    this.bindings = new Bindings(device, this.pool);
    this.recorder = new Recorder(this);
  }

  /** See {@link RecordingBackend}. */
  recorded<F>(call: RecordedCall, compute: () => RecordedResult<F>): RecordedResult<F> {
    return this.recorder.run(call, compute);
  }

  replayReport(): ReplayReport {
    return this.recorder.report();
  }

  dataOf(dataId: object): TensorData | undefined {
    return this.tensorMap.has(dataId) ? this.tensorMap.get(dataId) : undefined;
  }

  bring(dataId: object): void {
    // tfjs moves what it does not find here.
    if (!this.tensorMap.has(dataId)) this.tensorMap.get(dataId);
  }

  tensorIn(buffer: GPUBuffer, offset: number, shape: readonly number[]): TensorInfo {
    const info = this.makeTensorInfo([...shape], "float32");
    const data = this.tensorMap.get(info.dataId);
    data.resource = buffer;
    data.offset = offset;
    return info;
  }

  constantIn(buffer: GPUBuffer): object | undefined {
    return this.constants.get(buffer);
  }

  sharedWords(buffer: GPUBuffer): number | undefined {
    return this.packs.has(buffer) ? (this.packs.get(buffer)?.shape[0] ?? 0) : undefined;
  }

  share(buffer: GPUBuffer, words: number): void {
    this.packs.set(buffer, words > 0 ? this.tensorIn(buffer, 0, [words]) : undefined);
  }

  override dispose(): void {
    this.recorder.dispose();
    super.dispose();
  }

  protected get log(): CommandLog | undefined {
    return this.recorder.log;
  }

  /** An array that nothing lies in any more. */
  protected forget(buffer: GPUBuffer): void {
    const array = this.packs.get(buffer);
    if (array) this.tensorMap.delete(array.dataId);
    this.constants.delete(buffer);
    this.packs.delete(buffer);
  }

  protected forgetDestroyed(buffers: ReadonlySet<GPUBuffer>): void {
    this.bindings.clear();
    this.recorder.forgetBuffers(buffers);
  }

  protected isArray(buffer: GPUBuffer): boolean {
    return this.packs.get(buffer) !== undefined;
  }

  /** Of a tensor on the device. */
  protected bytesOf({ shape }: TensorInfo): number {
    return 4 * util.sizeFromShape(shape);
  }

  protected placeOf({ dataId }: TensorInfo): Place {
    this.uploadToGPU(dataId);
    const { resource, offset = 0 } = this.tensorMap.get(dataId);
    if (!(resource instanceof GPUBuffer)) throw new Error("The tensor is not in a buffer.");
    return { buffer: resource, offset };
  }

  protected boundOf(tensor: TensorInfo): Bound {
    return this.bindings.arrayOf(this.arrayFor(tensor), this.mostBytes);
  }

  /** What is bound for a tensor that is an array by itself. */
  protected arrayFor(tensor: TensorInfo): MergedArray {
    const { buffer, offset } = this.placeOf(tensor);
    if (!this.packs.has(buffer) && buffer.size <= this.mostBytes) return { buffer };
    // Programs of tfjs read vectors of four, so a binding has whole ones.
    const size = 16 * Math.ceil(this.bytesOf(tensor) / 16);
    return { buffer, range: { from: offset, size } };
  }
}
