/** Copies between buffers begin at multiples of this. */
const alignment = 16;

/** What a recording is given by the host, as it lies in the arena. */
export interface Upload {
  readonly buffer: GPUBuffer;
  readonly offset: number;
}

/**
 * Small values from the host, side by side in one buffer, from where the recording copies them to their tensors. They are written by
 * one command just before the submit, as uniforms are. So a tensor of the host may take any free buffer, also one that
 * earlier commands of the recording still read; and steps that do the same take the same buffers.
 */
export class UploadArena {
  private readonly buffer: GPUBuffer;
  private readonly values: Uint8Array<ArrayBuffer>;
  private used = 0;

  constructor(device: GPUDevice, capacity = 2 ** 20) {
    this.values = new Uint8Array(capacity);
    const usage = GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    this.buffer = device.createBuffer({ size: capacity, usage });
  }

  /** Whether values of this size go through the arena at all. */
  takes(bytes: number): boolean {
    return bytes <= this.values.byteLength / 4;
  }

  /** Whether they still go into this recording. */
  hasRoom(bytes: number): boolean {
    return this.used + bytes <= this.values.byteLength;
  }

  place(words: Int32Array | Float32Array): Upload {
    const offset = this.used;
    this.values.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength), offset);
    this.used += alignment * Math.ceil(words.byteLength / alignment);
    return { buffer: this.buffer, offset };
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
