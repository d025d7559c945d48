import { type backend_util, util } from "@tensorflow/tfjs-core";
import { BufferPool } from "./buffer-pool.js";
import { DeviceWatch } from "./device-errors.js";
import { HostArena, uniformAlignment } from "./host-arena.js";
import type { Command } from "./replay/commands.js";
import type { CommandLog } from "./replay/host.js";
import { TfjsBackend } from "./tfjs-backend.js";
import { wordsOf } from "./words.js";

/**
 * Calls in one recording at most: so that the device has begun before a very long one is complete, and none keeps it from
 * others for long. 64 tokens of a model with 12 wide layers, five calls each, are fewer.
 */
const mostCalls = 8192;

/** The bytes that a view shows. */
export const bytesIn = ({ buffer, byteOffset, byteLength }: DataView<ArrayBuffer>) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** What buffers of tensors are used for. */
export const tensorUsage = () =>
  GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/**
 * tfjs's WebGPU backend with one recording for all that happens between two reads of the host, and buffers that are used
 * again.
 */
export abstract class CommandBackend extends TfjsBackend {
  readonly pool: BufferPool;
  protected readonly uniforms: HostArena;
  /**
   * Small values for tensors, from where the recording copies them. So a tensor of the host may take any free buffer, also
   * one that earlier commands of the recording still read; and steps that do the same take the same buffers.
   */
  private readonly uploads: HostArena;
  private readonly watch: DeviceWatch;
  private calls = 0;

  constructor(device: GPUDevice, info: GPUAdapterInfo) {
    super(device, info);
    this.watch = new DeviceWatch(device);
    this.pool = new BufferPool(device, {
      onFree: (buffer) => this.forget(buffer),
      onDestroy: (buffers) => this.forgetDestroyed(buffers),
    });
    this.bufferManager = this.pool;
    this.uniforms = new HostArena(device, {
      ...{ usage: GPUBufferUsage.UNIFORM, alignment: uniformAlignment },
      capacity: mostCalls * uniformAlignment,
    });
    // Copies between buffers take multiples of 4.
    this.uploads = new HostArena(device, { usage: GPUBufferUsage.COPY_SRC, alignment: 16 });
  }

  /** Where commands are noted down, if they are. */
  protected abstract get log(): CommandLog | undefined;
  /** A buffer that nothing lies in any more. */
  protected abstract forget(buffer: GPUBuffer): void;
  protected abstract forgetDestroyed(buffers: ReadonlySet<GPUBuffer>): void;
  /** Whether all of a buffer is one array, which kernels write. */
  protected abstract isArray(buffer: GPUBuffer): boolean;

  override uploadToGPU(dataId: object): void {
    const data = this.tensorMap.get(dataId);
    if (data.resource != null) return;
    const { values, shape, dtype } = data;
    const bytes = 4 * util.sizeFromShape(shape);
    if (values == null) {
      data.resource = this.pool.take(bytes, tensorUsage());
      return;
    }
    const words = wordsOf(values as ArrayLike<number>, dtype);
    data.values = null;
    const { input } = this.log ?? {};
    if (bytes > this.uploads.capacity / 4) {
      data.resource = this.bringLarge(words, bytes, input);
      return;
    }
    if (!this.uploads.hasRoom(bytes)) this.submitQueue();
    const buffer = this.pool.take(bytes, tensorUsage());
    data.resource = buffer;
    if (bytes === 0) return;
    const { offset, view } = this.uploads.place(bytes);
    bytesIn(view).set(new Uint8Array(words.buffer, words.byteOffset, bytes));
    this.openEncoder().copyBufferToBuffer(this.uploads.buffer, offset, buffer, 0, bytes);
    this.note(() => ({
      ...{ kind: "upload", to: buffer, bytes },
      ...(input === undefined ? { values: bytesIn(view).slice() } : { input }),
    }));
  }

  /** Values that are too large to be copied, in a buffer that nothing recorded uses. */
  private bringLarge(
    words: ReturnType<typeof wordsOf>,
    bytes: number,
    input: number | undefined,
  ): GPUBuffer {
    if (input === undefined) {
      this.cannotReplay("values of the host are too large");
      const buffer = this.pool.takeForWriting(bytes, tensorUsage());
      this.queue.writeBuffer(buffer, 0, words);
      return buffer;
    }
    // An input has to lie in the same buffer every time: once nothing is recorded, it may be any that is free.
    this.submitQueue();
    const buffer = this.pool.take(bytes, tensorUsage());
    this.queue.writeBuffer(buffer, 0, words);
    this.note(() => ({ kind: "upload", to: buffer, bytes, input, isWritten: true }));
    return buffer;
  }

  override submitQueue(): void {
    this.endComputePassEncoder();
    if (this.commandEncoder === null) return;
    this.uniforms.flush(this.queue);
    this.uploads.flush(this.queue);
    this.queue.submit([this.commandEncoder.finish()]);
    this.commandEncoder = null;
    this.calls = 0;
    this.pool.nextRecording();
  }

  override async read(dataId: object): Promise<backend_util.BackendValues> {
    const data = this.tensorMap.get(dataId);
    const { resource, dtype, shape, offset = 0 } = data;
    if (data.values != null || !(resource instanceof GPUBuffer)) return super.read(dataId);
    const bytes = await this.readBytes(resource, offset, 4 * util.sizeFromShape(shape));
    const values = util.convertBackendValuesAndArrayBuffer(bytes, dtype);
    // Kept, as tfjs does: some kernels want values of small tensors at once. But not of what is in an array: a kernel may write
    // that, and knows nothing of the tensors in it.
    if (!this.isArray(resource)) data.values = values;
    return values;
  }

  override dispose(): void {
    super.dispose();
    this.uniforms.dispose();
    this.uploads.dispose();
  }

  /** For commands outside of a pass. */
  openEncoder(): GPUCommandEncoder {
    this.ensureCommandEncoderReady();
    this.endComputePassEncoder();
    return this.commandEncoder as GPUCommandEncoder;
  }

  openPass(): GPUComputePassEncoder {
    this.ensureCommandEncoderReady();
    const encoder = this.commandEncoder as GPUCommandEncoder;
    this.computePassEncoder ??= encoder.beginComputePass();
    return this.computePassEncoder;
  }

  countCall(): void {
    if (++this.calls >= mostCalls) this.submitQueue();
  }

  protected placeUniforms(bytes: number): ReturnType<HostArena["place"]> {
    if (!this.uniforms.hasRoom(bytes)) this.submitQueue();
    const place = this.uniforms.place(bytes);
    // What lies between them is compared, too.
    bytesIn(place.view).fill(0);
    return place;
  }

  protected copyBytes(
    from: GPUBuffer,
    fromOffset: number,
    to: GPUBuffer,
    toOffset: number,
    bytes: number,
  ): void {
    this.openEncoder().copyBufferToBuffer(from, fromOffset, to, toOffset, bytes);
    this.note(() => ({ kind: "copy", from, fromOffset, to, toOffset, bytes }));
  }

  protected clearWords(buffer: GPUBuffer, at: number, words: number): void {
    if (words === 0) return;
    this.openEncoder().clearBuffer(buffer, 4 * at, 4 * words);
    this.note(() => ({ kind: "clear", to: buffer, toOffset: 4 * at, bytes: 4 * words }));
  }

  protected note(make: () => Command): void {
    this.log?.commands.push(make());
  }

  private cannotReplay(problem: string): void {
    const { log } = this;
    if (log) log.problem ??= problem;
  }

  private async readBytes(buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    this.cannotReplay("it reads from the device");
    const staging = this.pool.take(bytes, GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ);
    if (bytes > 0) this.openEncoder().copyBufferToBuffer(buffer, offset, staging, 0, bytes);
    this.submitQueue();
    try {
      this.watch.check();
      await staging.mapAsync(GPUMapMode.READ, 0, Math.max(4, bytes));
      const values = staging.getMappedRange(0, Math.max(4, bytes)).slice(0, bytes);
      staging.unmap();
      this.watch.check();
      return values;
    } catch (error) {
      throw await this.watch.explain(error);
    } finally {
      this.pool.give(staging);
    }
  }
}
