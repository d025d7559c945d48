import type { backend_util, GPUData, Tensor, TensorInfo } from "@tensorflow/tfjs-core";
import type { WebGPUProgram } from "@tensorflow/tfjs-backend-webgpu";
import {
  canReadHalves,
  type GpuProgram,
  type Largest,
  narrowed,
  readingHalves,
  widened,
} from "../../ops/index.js";
import type { HalfHoldingBackend } from "../../tensors/index.js";
import { PooledBackend } from "./pooled-backend.js";
import type { ProgramUniform } from "./tfjs-backend.js";

/**
 * The backend with tensors that are held as binary16. Our own programs read them where they lie, rewritten to do so. Programs of tfjs,
 * reads of the host and copies get a copy in f32 for as long as it takes; what writes to such a tensor makes it one of f32 first.
 */
export class HalfBackend extends PooledBackend implements HalfHoldingBackend {
  /** See {@link HalfHoldingBackend}. */
  holdsHalves = false;

  override isHalf({ dataId }: TensorInfo): boolean {
    return this.tensorMap.get(dataId).isHalf === true;
  }

  override holdAsHalf(tensor: TensorInfo, largest?: Largest): void {
    if (tensor.dtype !== "float32") throw new Error(`Halves of ${tensor.dtype} are not held.`);
    if (!this.isHalf(tensor)) this.replace(tensor, narrowed(this, tensor, largest), true);
  }

  async holdAsHalves(tensors: readonly Tensor[]): Promise<Float32Array> {
    if (tensors.length === 0) return new Float32Array();
    const largest = this.newTensor([tensors.length], "int32");
    this.clear(largest);
    for (const [at, tensor] of tensors.entries()) {
      this.holdAsHalf(tensor, { into: largest, at });
      // So that the next one may be written to the memory that this one had.
      this.submitQueue();
    }
    this.pool.trim(0);
    const bits = await this.read(largest.dataId);
    this.disposeData(largest.dataId);
    return new Float32Array(Int32Array.from(bits as Int32Array).buffer);
  }

  override run(
    program: GpuProgram,
    tensors: readonly TensorInfo[],
    params: readonly number[],
    groups: readonly [number, number, number],
  ): void {
    for (const written of tensors.slice(program.reads.length)) this.widen(written);
    const halves = tensors.flatMap((tensor, i) => (this.isHalf(tensor) ? [i] : []));
    if (halves.length === 0) return super.run(program, tensors, params, groups);
    const where = halves.filter((i) => canReadHalves(program, i));
    const others = halves.filter((i) => !where.includes(i));
    this.withWhole(tensors, others, (whole) =>
      super.run(readingHalves(program, where), whole, params, groups),
    );
  }

  override recordAndSubmit(
    program: WebGPUProgram,
    output: TensorInfo,
    inputs: TensorInfo[],
    own?: ProgramUniform[],
  ): void {
    const halves = inputs.flatMap((tensor, i) => (this.isHalf(tensor) ? [i] : []));
    this.withWhole(inputs, halves, (whole) => super.recordAndSubmit(program, output, whole, own));
  }

  override view(tensor: TensorInfo, at: number, words: number): TensorInfo {
    if (!this.isHalf(tensor)) return super.view(tensor, at, words);
    // Two numbers to a word, and a binding begins at every 64th.
    const before = at % 128;
    const half = super.view(tensor, (at - before) / 2, before + words);
    this.tensorMap.get(half.dataId).isHalf = true;
    if (before === 0) return half;
    const whole = widened(this, half);
    const part = super.view(whole, before, words);
    for (const { dataId } of [half, whole]) this.disposeData(dataId);
    return part;
  }

  override clear(tensor: TensorInfo): void {
    this.widen(tensor);
    super.clear(tensor);
  }

  override copy(from: TensorInfo, to: TensorInfo, at: number): void {
    this.widen(to);
    this.withWhole([from], this.isHalf(from) ? [0] : [], ([whole]) =>
      super.copy(whole as TensorInfo, to, at),
    );
  }

  override pack(tensors: readonly TensorInfo[], alignment: number): TensorInfo | undefined {
    for (const tensor of tensors) this.widen(tensor);
    return super.pack(tensors, alignment);
  }

  override async read(dataId: object): Promise<backend_util.BackendValues> {
    const data = this.dataOf(dataId);
    if (data?.isHalf !== true) return super.read(dataId);
    const whole = widened(this, { ...data, dataId });
    try {
      return await super.read(whole.dataId);
    } finally {
      this.disposeData(whole.dataId);
    }
  }

  override readSync(dataId: object): backend_util.BackendValues {
    this.widenData(dataId);
    return super.readSync(dataId);
  }

  override readToGPU(dataId: object): GPUData {
    this.widenData(dataId);
    return super.readToGPU(dataId);
  }

  protected override bytesOf(tensor: TensorInfo): number {
    const bytes = super.bytesOf(tensor);
    return this.isHalf(tensor) ? 4 * Math.ceil(bytes / 8) : bytes;
  }

  /** Calls with some of the tensors as copies in f32. */
  private withWhole(
    tensors: readonly TensorInfo[],
    which: readonly number[],
    call: (whole: TensorInfo[]) => void,
  ): void {
    const copies = new Map(which.map((i) => [i, widened(this, tensors[i] as TensorInfo)]));
    call(tensors.map((tensor, i) => copies.get(i) ?? tensor));
    for (const { dataId } of copies.values()) this.disposeData(dataId);
  }

  private widen(tensor: TensorInfo): void {
    if (this.isHalf(tensor)) this.replace(tensor, widened(this, tensor), false);
  }

  private widenData(dataId: object): void {
    const data = this.dataOf(dataId);
    if (data) this.widen({ ...data, dataId });
  }

  /** Puts what a new tensor holds in the place of what a tensor held, whose memory is free then. */
  private replace(tensor: TensorInfo, by: TensorInfo, isHalf: boolean): void {
    const [data, given] = [tensor, by].map(({ dataId }) => this.tensorMap.get(dataId));
    if (data === undefined || given === undefined) return;
    const { resource, offset = 0 } = data;
    Object.assign(data, { resource: given.resource, offset: given.offset ?? 0, values: null });
    data.isHalf = isHalf;
    Object.assign(given, { resource, offset });
    this.disposeData(by.dataId);
  }
}
