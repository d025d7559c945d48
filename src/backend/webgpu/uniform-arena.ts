/** Offsets of uniforms that every adapter takes. */
const alignment = 256;

/**
 * The uniforms of one recording, side by side in one buffer. They are collected on the host and written by
 * one command just before the recording is submitted: the writes of a queue and its submits are
 * carried out in order, so a recording always finds its own.
 */
export class UniformArena {
  readonly buffer: GPUBuffer;
  private readonly values: ArrayBuffer;
  private used = 0;

  constructor(device: GPUDevice, capacity = 2 ** 20) {
    this.values = new ArrayBuffer(capacity);
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    this.buffer = device.createBuffer({ size: capacity, usage });
  }

  /** Whether uniforms of this size still go into the recording. */
  hasRoom(bytes: number): boolean {
    return this.used + alignment * Math.ceil(bytes / alignment) <= this.values.byteLength;
  }

  /** Room for uniforms of this size: a view to write them to, which begins at `offset` of the buffer. */
  place(bytes: number): { readonly offset: number; readonly view: DataView } {
    if (!this.hasRoom(bytes)) throw new Error(`No room for ${bytes} bytes of uniforms.`);
    const offset = this.used;
    this.used += alignment * Math.ceil(bytes / alignment);
    return { offset, view: new DataView(this.values, offset, bytes) };
  }

  /** Writes all of them; the next ones go to the beginning again. */
  flush(queue: GPUQueue): void {
    if (this.used > 0) queue.writeBuffer(this.buffer, 0, this.values, 0, this.used);
    this.used = 0;
  }

  dispose(): void {
    this.buffer.destroy();
  }
}
