import { destroyBuffer, makeBuffer } from "./device-memory.js";

/** Offsets of uniforms that every adapter takes. */
export const uniformAlignment = 256;

export interface HostArenaOptions {
  /** What the buffer is used for, beside being written. */
  readonly usage: GPUBufferUsageFlags;
  /** Every piece begins at a multiple of it. */
  readonly alignment: number;
  /** In bytes, a multiple of `alignment`. Default: 1 MiB. */
  readonly capacity?: number;
}

/**
 * What one recording is given by the host, side by side in one buffer. It is collected on the host and written by one
 * command just before the recording is submitted: the writes of a queue and its submits are carried out in
 * order, so a recording always finds its own.
 */
export class HostArena {
  readonly buffer: GPUBuffer;
  readonly capacity: number;
  private readonly device: GPUDevice;
  private readonly values: ArrayBuffer;
  private readonly alignment: number;
  private used = 0;

  constructor(device: GPUDevice, { usage, alignment, capacity = 2 ** 20 }: HostArenaOptions) {
    this.device = device;
    this.alignment = alignment;
    this.capacity = capacity;
    this.values = new ArrayBuffer(capacity);
    this.buffer = makeBuffer(device, { size: capacity, usage: usage | GPUBufferUsage.COPY_DST });
  }

  /** Whether so many bytes still go into the recording. */
  hasRoom(bytes: number): boolean {
    return this.used + this.aligned(bytes) <= this.capacity;
  }

  /** Room for so many bytes: a view to write them to, which begins at `offset` of the buffer. */
  place(bytes: number): { readonly offset: number; readonly view: DataView<ArrayBuffer> } {
    if (!this.hasRoom(bytes)) throw new Error(`No room for ${bytes} bytes.`);
    const offset = this.used;
    this.used += this.aligned(bytes);
    return { offset, view: new DataView(this.values, offset, bytes) };
  }

  /** Writes all of it; what comes next goes to the beginning again. */
  flush(queue: GPUQueue): void {
    if (this.used > 0) queue.writeBuffer(this.buffer, 0, this.values, 0, this.used);
    this.used = 0;
  }

  dispose(): void {
    destroyBuffer(this.device, this.buffer);
  }

  private aligned(bytes: number): number {
    return this.alignment * Math.ceil(bytes / this.alignment);
  }
}
