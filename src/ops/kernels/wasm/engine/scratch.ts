import type { Block } from "./allocator.js";
import type { WasmEngine } from "./engine.js";

/** Memory for the duration of one kernel. */
export class Scratch implements Disposable {
  private readonly engine: WasmEngine;
  private readonly blocks: Block[] = [];

  constructor(engine: WasmEngine) {
    this.engine = engine;
  }

  /** Address of at least one byte. */
  allocate(bytes: number): number {
    const block = this.engine.allocator.allocate(bytes);
    this.blocks.push(block);
    return block.address;
  }

  /** Address of a copy of the values in float32. */
  float32(values: ArrayLike<number>): number {
    const address = this.allocate(4 * values.length);
    this.view(address, values.length).set(values);
    return address;
  }

  int32(values: Int32Array): number {
    const address = this.allocate(4 * values.length);
    new Int32Array(this.engine.memory.buffer, address, values.length).set(values);
    return address;
  }

  /** Of floats anywhere in the memory; valid until the next allocation. */
  view(address: number, length: number): Float32Array {
    return new Float32Array(this.engine.memory.buffer, address, length);
  }

  [Symbol.dispose](): void {
    for (const block of this.blocks.splice(0)) this.engine.allocator.release(block);
  }
}
