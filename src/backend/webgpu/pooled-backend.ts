import type { backend_util } from "@tensorflow/tfjs-core";
import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { WebGPUProgram } from "@tensorflow/tfjs-backend-webgpu";
import { PupilError } from "../../errors/index.js";
import { type GpuProgram, type GpuTensors, mergeArrays } from "../../ops/index.js";
import { BufferPool, sizeInWords } from "./buffer-pool.js";
import { DeviceWatch } from "./device-errors.js";
import { HostArena } from "./host-arena.js";
import { ProgramCache } from "./programs.js";
import { type ProgramUniform, TfjsBackend } from "./tfjs-backend.js";
import { placeUniforms, uniformsOf, writeUniforms } from "./tfjs-uniforms.js";

/** Calls in one recording at most: so that the device has begun before a very long one is complete. */
const mostCalls = 1024;
const mostBindGroups = 2 ** 15;

/** What goes into an array of a shader. */
interface Bound {
  readonly binding: GPUBufferBinding;
  readonly key: string;
}

const bytesOf = ({ shape }: TensorInfo) => 4 * util.sizeFromShape(shape);

function tooLarge(bytes: number, most: number): PupilError {
  return new PupilError(
    `A tensor of ${sizeInWords(bytes)} is more than this GPU's shaders may use at a time, ${sizeInWords(most)}.`,
    {
      remedy: "Use smaller micro-batches (trainer.gradientAccumulationSteps) or shorter sequences.",
    },
  );
}

interface Place {
  readonly buffer: GPUBuffer;
  /** In bytes. */
  readonly offset: number;
}

/** Words from a multiple of which on a binding may begin, on every adapter. */
const bindingWords = 64;

/** Where tensors begin, in words, each at a multiple of `alignment`, and how many words they are together. */
function sideBySide(
  shapes: readonly (readonly number[])[],
  alignment: number,
): { readonly starts: readonly number[]; readonly words: number } {
  const starts: number[] = [];
  let words = 0;
  for (const shape of shapes) {
    starts.push(words);
    words += alignment * Math.ceil(util.sizeFromShape([...shape]) / alignment);
  }
  return { starts, words };
}

const usage = () => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/**
 * tfjs's WebGPU backend with buffers and bind groups that are used again, and one recording for all that
 * happens between two reads of the host. tfjs's own submits every 15 calls and makes a buffer for the uniforms
 * and a bind group for each.
 */
export class PooledBackend extends TfjsBackend implements GpuTensors {
  mostArrays: number;
  mostBytes: number;
  private readonly pool: BufferPool;
  private readonly uniforms: HostArena;
  /**
   * Small values for tensors, from where the recording copies them. So a tensor of the host may take any free buffer, also
   * one that earlier commands of the recording still read; and steps that do the same take the same buffers.
   */
  private readonly uploads: HostArena;
  private readonly programs: ProgramCache;
  /** Buffers that several tensors lie in; for those of `pack`, with the array of all of them. */
  private readonly packs = new Map<GPUBuffer, TensorInfo | undefined>();
  private readonly bindGroups = new Map<string, GPUBindGroup>();
  private readonly pipelineIds = new Map<object, { id: string; layout: GPUBindGroupLayout }>();
  private readonly watch: DeviceWatch;
  private calls = 0;

  constructor(device: GPUDevice, info: GPUAdapterInfo) {
    super(device, info);
    this.watch = new DeviceWatch(device);
    this.mostArrays = device.limits.maxStorageBuffersPerShaderStage;
    this.mostBytes = device.limits.maxStorageBufferBindingSize;
    this.pool = new BufferPool(device, {
      onFree: (buffer) => this.forget(buffer),
      onDestroy: () => this.bindGroups.clear(),
    });
    this.bufferManager = this.pool;
    // Offsets of uniforms that every adapter takes; copies between buffers take multiples of 4.
    this.uniforms = new HostArena(device, { usage: GPUBufferUsage.UNIFORM, alignment: 256 });
    this.uploads = new HostArena(device, { usage: GPUBufferUsage.COPY_SRC, alignment: 16 });
    this.programs = new ProgramCache(device);
  }

  newTensor(shape: readonly number[], dtype: "float32" | "int32" = "float32"): TensorInfo {
    const info = this.makeTensorInfo([...shape], dtype);
    this.uploadToGPU(info.dataId);
    return info;
  }

  newTensors(shapes: readonly (readonly number[])[]): TensorInfo[] {
    const { starts, words } = sideBySide(shapes, bindingWords);
    if (shapes.length < 2 || 4 * words > this.mostBytes) {
      return shapes.map((shape) => this.newTensor(shape));
    }
    const buffer = this.pool.take(4 * words, usage());
    this.pool.share(buffer, shapes.length);
    this.packs.set(buffer, undefined);
    return shapes.map((shape, i) => {
      const info = this.makeTensorInfo([...shape], "float32");
      const data = this.tensorMap.get(info.dataId);
      data.resource = buffer;
      data.offset = 4 * (starts[i] as number);
      return info;
    });
  }

  run(
    given: GpuProgram,
    tensors: readonly TensorInfo[],
    params: readonly number[],
    groups: readonly [number, number, number],
  ): void {
    if (groups.includes(0)) return;
    const { arrays, copies } = this.gathered(given, tensors);
    const places = arrays.map((tensor) => this.placeOf(tensor));
    const merged = this.mergedFor(given, places, arrays);
    const program = merged?.program ?? given;
    const { pipeline, layout, layoutId, uniformBytes, kinds } = this.programs.get(program);
    const bases = (merged?.based ?? []).map((i) => merged?.baseOf(i) as number);
    const bound = merged
      ? merged.bound.map((i) => merged.bindingOf(i) ?? this.boundOf(arrays[i] as TensorInfo))
      : arrays.map((tensor) => this.boundOf(tensor));
    const values = [...params, ...bases];
    const { offset, view } = this.placeUniforms(uniformBytes);
    for (const [i, kind] of kinds.entries()) {
      const value = values[i];
      if (value === undefined) throw new Error(`${program.name}: no ${program.params[i]}.`);
      if (kind === "f32") view.setFloat32(4 * i, value, true);
      else view.setInt32(4 * i, value, true);
    }
    const first = { buffer: this.uniforms.buffer, offset: 0, size: uniformBytes };
    // Written in place: what the host knows of them is old.
    for (const { dataId } of tensors.slice(given.reads.length)) {
      this.tensorMap.get(dataId).values = null;
    }
    const key = `${layoutId}:${uniformBytes}:${bound.map((one) => one.key).join()}`;
    const group = this.bindGroup(key, layout, [first, ...bound.map(({ binding }) => binding)]);
    const pass = this.openPass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group, [offset]);
    pass.dispatchWorkgroups(...groups);
    for (const { dataId } of copies) this.disposeData(dataId);
    this.countCall();
  }

  view(tensor: TensorInfo, at: number, words: number): TensorInfo {
    const { buffer, offset } = this.placeOf(tensor);
    this.pool.addUser(buffer);
    if (!this.packs.has(buffer)) this.packs.set(buffer, undefined);
    const info = this.makeTensorInfo([words], tensor.dtype);
    const data = this.tensorMap.get(info.dataId);
    data.resource = buffer;
    data.offset = offset + 4 * at;
    return info;
  }

  clear(tensor: TensorInfo): void {
    const { buffer, offset } = this.placeOf(tensor);
    this.clearWords(buffer, offset / 4, util.sizeFromShape(tensor.shape));
  }

  constant(values: Float32Array): TensorInfo {
    const info = this.makeTensorInfo([values.length], "float32", values);
    this.uploadToGPU(info.dataId);
    return info;
  }

  copy(from: TensorInfo, to: TensorInfo, at: number): void {
    const [source, target] = [this.placeOf(from), this.placeOf(to)];
    const bytes = 4 * util.sizeFromShape(from.shape);
    const begin = target.offset + 4 * at;
    this.openEncoder().copyBufferToBuffer(
      source.buffer,
      source.offset,
      target.buffer,
      begin,
      bytes,
    );
  }

  pack(tensors: readonly TensorInfo[], alignment: number): TensorInfo | undefined {
    const shapes = tensors.map(({ shape }) => shape);
    const { starts, words } = sideBySide(shapes, alignment);
    const isTwice = new Set(tensors.map(({ dataId }) => dataId)).size < tensors.length;
    if (isTwice || 4 * words > this.device.limits.maxBufferSize) return undefined;
    const places = tensors.map((tensor) => this.placeOf(tensor));
    const buffer = places[0]?.buffer;
    const known = buffer && this.packs.get(buffer);
    const isPacked = places.every(
      (place, i) => place.buffer === buffer && place.offset === 4 * (starts[i] as number),
    );
    if (known && isPacked && known.shape[0] === words) return known;
    const array = this.newTensor([words]);
    for (const [i, tensor] of tensors.entries()) this.copy(tensor, array, starts[i] as number);
    const { buffer: whole } = this.placeOf(array);
    for (const [i, shape] of shapes.entries()) {
      const end = (starts[i] as number) + util.sizeFromShape([...shape]);
      this.clearWords(whole, end, (starts[i + 1] ?? words) - end);
    }
    for (const [i, { dataId }] of tensors.entries()) {
      const data = this.tensorMap.get(dataId);
      this.pool.give(data.resource as GPUBuffer);
      data.resource = whole;
      data.offset = 4 * (starts[i] as number);
      data.values = null;
    }
    this.pool.share(whole, tensors.length);
    this.packs.set(whole, array);
    return array;
  }

  private clearWords(buffer: GPUBuffer, at: number, words: number): void {
    if (words > 0) this.openEncoder().clearBuffer(buffer, 4 * at, 4 * words);
  }

  /** A call of one of tfjs's programs. */
  override recordAndSubmit(
    program: WebGPUProgram,
    output: TensorInfo,
    inputs: TensorInfo[],
    own?: ProgramUniform[],
  ): void {
    const { pipeline } = program;
    if (pipeline === undefined || pipeline instanceof Promise) {
      throw new Error("The pipeline is still being compiled.");
    }
    // First, since what is still to be given to the device may end the recording.
    const bound = [output, ...inputs].map((tensor) => this.boundOf(tensor));
    const uniforms = uniformsOf(program, inputs, output, own);
    const { offsets, bytes } = placeUniforms(uniforms);
    const { offset, view } = this.placeUniforms(bytes);
    writeUniforms(view, uniforms, offsets);
    const known = this.pipelineIds.get(pipeline) ?? {
      id: `t${this.pipelineIds.size}`,
      layout: pipeline.getBindGroupLayout(0),
    };
    this.pipelineIds.set(pipeline, known);
    const key = `${known.id}:${offset}:${bytes}:${bound.map((one) => one.key).join()}`;
    const group = this.bindGroup(key, known.layout, [
      ...bound.map(({ binding }) => binding),
      { buffer: this.uniforms.buffer, offset, size: bytes },
    ]);
    const pass = this.openPass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...program.dispatch);
    this.countCall();
  }

  override uploadToGPU(dataId: object): void {
    const data = this.tensorMap.get(dataId);
    if (data.resource != null) return;
    const { values, shape, dtype } = data;
    const bytes = 4 * util.sizeFromShape(shape);
    if (values == null) {
      data.resource = this.pool.take(bytes, usage());
      return;
    }
    const isInteger = dtype === "int32" || dtype === "bool";
    const words = (isInteger ? Int32Array : Float32Array).from(values as ArrayLike<number>);
    data.values = null;
    if (bytes > this.uploads.capacity / 4) {
      const buffer = this.pool.takeForWriting(bytes, usage());
      this.queue.writeBuffer(buffer, 0, words);
      data.resource = buffer;
      return;
    }
    if (!this.uploads.hasRoom(bytes)) this.submitQueue();
    const buffer = this.pool.take(bytes, usage());
    data.resource = buffer;
    if (bytes === 0) return;
    const { offset, view } = this.uploads.place(bytes);
    new Uint8Array(view.buffer, offset, bytes).set(new Uint8Array(words.buffer));
    this.openEncoder().copyBufferToBuffer(this.uploads.buffer, offset, buffer, 0, bytes);
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
    if (this.packs.get(resource) === undefined) data.values = values;
    return values;
  }

  override dispose(): void {
    super.dispose();
    this.uniforms.dispose();
    this.uploads.dispose();
  }

  private async readBytes(buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    this.watch.check();
    const staging = this.pool.take(bytes, GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ);
    if (bytes > 0) this.openEncoder().copyBufferToBuffer(buffer, offset, staging, 0, bytes);
    this.submitQueue();
    try {
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

  /**
   * The program with one array for all that lie in one buffer, and how these are bound: undefined if none do. A buffer that
   * is only read may be bound several times, which is done where its parts are too far from each other.
   */
  private mergedFor(program: GpuProgram, places: readonly Place[], arrays: readonly TensorInfo[]) {
    const numbers = places.map(({ buffer }) =>
      places.findIndex((place) => place.buffer === buffer),
    );
    if (numbers.every((number, i) => number === i)) return undefined;
    const ends = places.map(({ offset }, i) => offset + bytesOf(arrays[i] as TensorInfo));
    const rangeOf = (number: number) => {
      const members = numbers.flatMap((other, i) => (other === number ? [i] : []));
      const from = Math.min(...members.map((i) => (places[i] as Place).offset));
      const to = Math.max(...members.map((i) => ends[i] as number));
      return { members, from, size: 16 * Math.ceil((to - from) / 16) };
    };
    const { length: reads } = program.reads;
    const groups = numbers.map((number, i) => {
      const { members, size } = rangeOf(number);
      return size > this.mostBytes && members.every((member) => member < reads) ? i : number;
    });
    if (groups.every((number, i) => number === i)) return undefined;
    const merged = mergeArrays(program, groups);
    const startOf = (number: number) => {
      const { buffer } = places[number] as Place;
      return buffer.size > this.mostBytes ? rangeOf(number) : undefined;
    };
    return {
      ...merged,
      /** Where an array begins in what is bound, in words. */
      baseOf: (i: number) =>
        ((places[i] as Place).offset - (startOf(groups[i] as number)?.from ?? 0)) / 4,
      bindingOf: (i: number): Bound | undefined => {
        if (!merged.based.includes(i)) return undefined;
        const { buffer } = places[i] as Place;
        const range = startOf(groups[i] as number);
        return range ? this.partOf(buffer, range.from, range.size) : this.wholeOf(buffer);
      },
    };
  }

  /** The tensors of a call, some of them as copies in one buffer where they are in too many. */
  private gathered(
    { name, reads }: GpuProgram,
    tensors: readonly TensorInfo[],
  ): { arrays: readonly TensorInfo[]; copies: readonly TensorInfo[] } {
    if (tensors.length <= this.mostArrays) return { arrays: tensors, copies: [] };
    const buffers = tensors.map((tensor) => this.placeOf(tensor).buffer);
    const excess = new Set(buffers).size - this.mostArrays;
    if (excess <= 0) return { arrays: tensors, copies: [] };
    const size = (i: number) => util.sizeFromShape((tensors[i] as TensorInfo).shape);
    const movable = reads
      .map((_, i) => i)
      .filter((i) => reads[i]?.endsWith(": f32"))
      .filter(
        (i) =>
          buffers.indexOf(buffers[i] as GPUBuffer) === buffers.lastIndexOf(buffers[i] as GPUBuffer),
      )
      .sort((i, j) => size(i) - size(j));
    const chosen = movable.slice(0, excess + 1);
    if (chosen.length <= excess) {
      throw new Error(`${name} needs more than ${this.mostArrays} arrays at a time.`);
    }
    const copies = this.newTensors(chosen.map((i) => (tensors[i] as TensorInfo).shape));
    for (const [k, i] of chosen.entries()) {
      this.copy(tensors[i] as TensorInfo, copies[k] as TensorInfo, 0);
    }
    const arrays = tensors.map((tensor, i) => copies[chosen.indexOf(i)] ?? tensor);
    return { arrays, copies };
  }

  private placeOf({ dataId }: TensorInfo): Place {
    this.uploadToGPU(dataId);
    const { resource, offset = 0 } = this.tensorMap.get(dataId);
    if (!(resource instanceof GPUBuffer)) throw new Error("The tensor is not in a buffer.");
    return { buffer: resource, offset };
  }

  private boundOf(tensor: TensorInfo): Bound {
    const { buffer, offset } = this.placeOf(tensor);
    if (!this.packs.has(buffer) && buffer.size <= this.mostBytes) return this.wholeOf(buffer);
    // Programs of tfjs read vectors of four, so a binding has whole ones.
    return this.partOf(buffer, offset, 16 * Math.ceil(bytesOf(tensor) / 16));
  }

  private wholeOf(buffer: GPUBuffer): Bound {
    return { binding: { buffer }, key: String(this.pool.idOf(buffer)) };
  }

  /** @throws PupilError for more than the device binds */
  private partOf(buffer: GPUBuffer, offset: number, size: number): Bound {
    if (size > this.mostBytes) throw tooLarge(size, this.mostBytes);
    return {
      binding: { buffer, offset, size },
      key: `${this.pool.idOf(buffer)}+${offset}+${size}`,
    };
  }

  /** An array that nothing lies in any more. */
  private forget(buffer: GPUBuffer): void {
    const array = this.packs.get(buffer);
    if (array) this.tensorMap.delete(array.dataId);
    this.packs.delete(buffer);
  }

  private bindGroup(
    key: string,
    layout: GPUBindGroupLayout,
    bindings: readonly GPUBufferBinding[],
  ): GPUBindGroup {
    const known = this.bindGroups.get(key);
    if (known !== undefined) return known;
    if (this.bindGroups.size >= mostBindGroups) this.bindGroups.clear();
    const entries = bindings.map((resource, binding) => ({ binding, resource }));
    const group = this.device.createBindGroup({ layout, entries });
    this.bindGroups.set(key, group);
    return group;
  }

  private placeUniforms(bytes: number): ReturnType<HostArena["place"]> {
    if (!this.uniforms.hasRoom(bytes)) this.submitQueue();
    return this.uniforms.place(bytes);
  }

  /** For commands outside of a pass. */
  private openEncoder(): GPUCommandEncoder {
    this.ensureCommandEncoderReady();
    this.endComputePassEncoder();
    return this.commandEncoder as GPUCommandEncoder;
  }

  private openPass(): GPUComputePassEncoder {
    this.ensureCommandEncoderReady();
    const encoder = this.commandEncoder as GPUCommandEncoder;
    this.computePassEncoder ??= encoder.beginComputePass();
    return this.computePassEncoder;
  }

  private countCall(): void {
    if (++this.calls >= mostCalls) this.submitQueue();
  }
}
