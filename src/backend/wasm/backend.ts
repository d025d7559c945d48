import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import type { WasmEngine, WasmTensors } from "../../ops/index.js";
import { TensorStorage } from "./storage.js";

/**
 * tfjs's JavaScript backend with its tensors in one WebAssembly memory: every kernel of the `cpu`
 * backend works on it as it is, and those that matter are replaced by ours.
 */
export class WasmBackend extends MathBackendCPU implements WasmTensors {
  readonly engine: WasmEngine;
  private nextId = 0;

  constructor(engine: WasmEngine) {
    super();
    this.engine = engine;
  }

  override write(
    values: tf.backend_util.BackendValues,
    _shape: number[],
    dtype: tf.DataType,
  ): object {
    return this.store(TensorStorage.of(this.engine, dtype, values));
  }

  override move(
    dataId: object,
    values: tf.backend_util.BackendValues,
    _shape: number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    const storage = TensorStorage.of(this.engine, dtype, values);
    storage.refCount = refCount;
    this.data.set(dataId, storage);
  }

  /** A new tensor in the engine's memory; its values are not initialised. */
  newTensor(shape: number[], dtype: "float32" | "int32"): tf.TensorInfo {
    let size = 1;
    for (const dimension of shape) size *= dimension;
    const dataId = this.store(TensorStorage.allocate(this.engine, dtype, size));
    return { dataId, shape, dtype };
  }

  address({ dataId }: tf.TensorInfo): number {
    return (this.data.get(dataId) as TensorStorage).address;
  }

  valuesOf({ dataId }: tf.TensorInfo): ArrayLike<number> {
    return this.data.get(dataId).values as Float32Array;
  }

  override readSync(dataId: object): tf.backend_util.BackendValues {
    const storage = this.data.get(dataId) as TensorStorage;
    if (storage.dtype === "complex64") return super.readSync(dataId);
    return tf.util.convertBackendValuesAndArrayBuffer(storage.copy(), storage.dtype);
  }

  /** There is nothing to wait for: without the inherited chain of promises. */
  override read(dataId: object): Promise<tf.backend_util.BackendValues> {
    return Promise.resolve(this.readSync(dataId));
  }

  override disposeData(dataId: object, force = false): boolean {
    const storage = this.data.has(dataId) ? (this.data.get(dataId) as TensorStorage) : undefined;
    const gone = super.disposeData(dataId, force);
    if (gone) storage?.release();
    return gone;
  }

  /** The tensor itself if its values have its type, else a converted one in its place. */
  withOwnType(tensor: tf.TensorInfo): tf.TensorInfo {
    const { dtype, shape, dataId } = tensor;
    if (dtype !== "float32" && dtype !== "int32") return tensor;
    const storage = this.data.get(dataId) as TensorStorage;
    if (storage.dtype === dtype) return tensor;
    const converted = this.newTensor(shape, dtype);
    (this.data.get(converted.dataId).values as Float32Array).set(storage.values as Float32Array);
    this.disposeData(dataId);
    return converted;
  }

  override memory(): { unreliable: boolean; reasons: string[] } & MemoryInfo {
    const { allocator, reservedBytes } = this.engine;
    const { bytesInUse, peakBytes } = allocator;
    return { unreliable: false, reasons: [], bytesInUse, peakBytes, reservedBytes };
  }

  override dispose(): void {
    this.engine.dispose();
  }

  private store(storage: TensorStorage): object {
    const dataId = { id: this.nextId++ };
    this.data.set(dataId, storage);
    return dataId;
  }
}

interface MemoryInfo {
  /** Of the engine's memory: used by tensors and threads now, at most so far, and taken from the system. */
  bytesInUse: number;
  peakBytes: number;
  reservedBytes: number;
}
