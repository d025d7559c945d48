import type * as tf from "@tensorflow/tfjs-core";
import type { Block, WasmEngine } from "../../ops/index.js";

type NumberArray = Float32Array | Int32Array;

/**
 * The data of one tensor. Values that JavaScript produced stay in their array until a kernel asks for
 * their address; from then on they live in the engine's memory and `values` is a view.
 */
export class TensorStorage {
  readonly dtype: tf.DataType;
  refCount = 1;
  complexTensorInfos?: { real: tf.TensorInfo; imag: tf.TensorInfo };
  private readonly engine: WasmEngine;
  private block: Block | undefined;
  private length: number;
  private array: tf.backend_util.BackendValues | undefined;

  constructor(engine: WasmEngine, dtype: tf.DataType, length: number) {
    this.engine = engine;
    this.dtype = dtype;
    this.length = length;
  }

  /** Storage for values that JavaScript made. */
  static of(
    engine: WasmEngine,
    dtype: tf.DataType,
    values: tf.backend_util.BackendValues | undefined,
  ): TensorStorage {
    const storage = new TensorStorage(engine, dtype, values?.length ?? 0);
    // A view into the engine's memory (a fallback kernel's subarray) may not outlive its owner.
    const isView = ArrayBuffer.isView(values) && engine.owns(values.buffer);
    storage.array = isView ? (values as Float32Array).slice() : values;
    return storage;
  }

  /** Storage in the engine's memory, with whatever was there before. */
  static allocate(engine: WasmEngine, dtype: "float32" | "int32", length: number): TensorStorage {
    const storage = new TensorStorage(engine, dtype, length);
    storage.block = engine.allocator.allocate(length * 4);
    return storage;
  }

  get values(): tf.backend_util.BackendValues {
    // Unshared memory detaches all views when it grows: they have length 0 from then on.
    const isUsable = this.array !== undefined && this.array.length === this.length;
    if (!isUsable && this.block !== undefined) this.array = this.view();
    return this.array as tf.backend_util.BackendValues;
  }

  set values(values: tf.backend_util.BackendValues) {
    this.release();
    this.array = values;
    this.length = values.length;
  }

  /** Address in the engine's memory, for float32 and int32. */
  get address(): number {
    if (this.block !== undefined) return this.block.address;
    if (this.dtype !== "float32" && this.dtype !== "int32") {
      throw new Error(`A ${this.dtype} tensor has no address in the wasm backend.`);
    }
    const values = this.array as NumberArray;
    this.block = this.engine.allocator.allocate(this.length * 4);
    this.array = undefined;
    this.view().set(values);
    return this.block.address;
  }

  /** A copy that stays valid when the tensor is disposed. */
  copy(): tf.backend_util.BackendValues {
    if (this.block === undefined) return this.array as tf.backend_util.BackendValues;
    const copy = new (this.dtype === "int32" ? Int32Array : Float32Array)(this.length);
    copy.set(this.view());
    return copy;
  }

  release(): void {
    if (this.block !== undefined) this.engine.allocator.release(this.block);
    this.block = undefined;
    this.array = undefined;
  }

  private view(): NumberArray {
    const { buffer } = this.engine.memory;
    const address = this.block?.address ?? 0;
    return this.dtype === "int32"
      ? new Int32Array(buffer, address, this.length)
      : new Float32Array(buffer, address, this.length);
  }
}
