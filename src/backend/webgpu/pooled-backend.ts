import type { backend_util } from "@tensorflow/tfjs-core";
import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { WebGPUProgram } from "@tensorflow/tfjs-backend-webgpu";
import { PupilError } from "../../errors/index.js";
import type { GpuProgram, GpuTensors } from "../../ops/index.js";
import { BufferPool, sizeInWords } from "./buffer-pool.js";
import type { RecordedCall, RecordedResult, RecordingBackend } from "../../tensors/index.js";
import type { Command } from "./replay/commands.js";
import type { RecordingHost } from "./replay/host.js";
import { Recorder, type ReplayReport } from "./replay/recorder.js";
import { wordsOf } from "./words.js";
import {
  arraysToMove,
  bindingWords,
  type MergedArray,
  mergedFor,
  type Place,
  sideBySide,
} from "./array-places.js";
import { DeviceWatch } from "./device-errors.js";
import { HostArena } from "./host-arena.js";
import { ProgramCache } from "./programs.js";
import { type ProgramUniform, type TensorData, TfjsBackend } from "./tfjs-backend.js";
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

const bytesIn = ({ buffer, byteOffset, byteLength }: DataView<ArrayBuffer>) =>
  new Uint8Array(buffer, byteOffset, byteLength);

const usage = () => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/**
 * tfjs's WebGPU backend with buffers and bind groups that are used again, and one recording for all that
 * happens between two reads of the host. tfjs's own submits every 15 calls and makes a buffer for the uniforms
 * and a bind group for each.
 */
export class PooledBackend
  extends TfjsBackend
  implements GpuTensors, RecordingBackend, RecordingHost
{
  mostArrays: number;
  mostBytes: number;
  readonly pool: BufferPool;
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
  /** By buffer, a kernel's constant. */
  private readonly constants = new Map<GPUBuffer, object>();
  /** Whether steps are replayed. */
  replays = false;
  private readonly recorder: Recorder;
  private readonly watch: DeviceWatch;
  private calls = 0;

  constructor(device: GPUDevice, info: GPUAdapterInfo) {
    super(device, info);
    this.watch = new DeviceWatch(device);
    this.mostArrays = device.limits.maxStorageBuffersPerShaderStage;
    this.mostBytes = device.limits.maxStorageBufferBindingSize;
    this.pool = new BufferPool(device, {
      onFree: (buffer) => this.forget(buffer),
      onDestroy: (buffers) => {
        this.bindGroups.clear();
        this.recorder.forgetBuffers(buffers);
      },
    });
    this.recorder = new Recorder(this);
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
    const merged = mergedFor(given, places, arrays.map(bytesOf), this.mostBytes);
    const program = merged?.program ?? given;
    const { pipeline, layout, layoutId, uniformBytes, kinds } = this.programs.get(program);
    const bound = (merged?.bound ?? [...arrays.keys()]).map((i) => {
      const array = merged?.arrayOf(i);
      return array ? this.boundAs(array) : this.boundOf(arrays[i] as TensorInfo);
    });
    const values = [...params, ...(merged?.bases ?? [])];
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
    this.note(() => ({
      ...{ kind: "dispatch", pipeline, layout, groups, uniformsAre: "first" },
      bindings: bound.map(({ binding }) => binding),
      uniforms: bytesIn(view).slice(),
    }));
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
    this.constants.set(this.placeOf(info).buffer, info.dataId);
    return info;
  }

  copy(from: TensorInfo, to: TensorInfo, at: number): void {
    const [source, target] = [this.placeOf(from), this.placeOf(to)];
    const bytes = 4 * util.sizeFromShape(from.shape);
    const toOffset = target.offset + 4 * at;
    const { buffer, offset: fromOffset } = source;
    this.openEncoder().copyBufferToBuffer(buffer, fromOffset, target.buffer, toOffset, bytes);
    this.note(() => ({
      ...{ kind: "copy", from: buffer, fromOffset, to: target.buffer, toOffset, bytes },
    }));
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
    if (words === 0) return;
    this.openEncoder().clearBuffer(buffer, 4 * at, 4 * words);
    this.note(() => ({ kind: "clear", to: buffer, toOffset: 4 * at, bytes: 4 * words }));
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
    this.note(() => ({
      ...{ kind: "dispatch", pipeline, layout: known.layout, uniformsAre: "last" },
      groups: program.dispatch,
      bindings: bound.map(({ binding }) => binding),
      uniforms: bytesIn(view).slice(),
    }));
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
    const words = wordsOf(values as ArrayLike<number>, dtype);
    data.values = null;
    if (bytes > this.uploads.capacity / 4) {
      this.cannotReplay("values of the host are too large");
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
    bytesIn(view).set(new Uint8Array(words.buffer, words.byteOffset, bytes));
    this.openEncoder().copyBufferToBuffer(this.uploads.buffer, offset, buffer, 0, bytes);
    const { input } = this.recorder.log ?? {};
    this.note(() => ({
      ...{ kind: "upload", to: buffer, bytes },
      ...(input === undefined ? { values: bytesIn(view).slice() } : { input }),
    }));
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
    this.recorder.dispose();
    super.dispose();
    this.uniforms.dispose();
    this.uploads.dispose();
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

  /** The tensors of a call, some of them as copies in one buffer where they are in too many. */
  private gathered(
    program: GpuProgram,
    tensors: readonly TensorInfo[],
  ): { arrays: readonly TensorInfo[]; copies: readonly TensorInfo[] } {
    if (tensors.length <= this.mostArrays) return { arrays: tensors, copies: [] };
    const buffers = tensors.map((tensor) => this.placeOf(tensor).buffer);
    const chosen = arraysToMove(program, buffers, tensors.map(bytesOf), this.mostArrays);
    const copies = this.newTensors(chosen.map((i) => (tensors[i] as TensorInfo).shape));
    for (const [k, i] of chosen.entries()) {
      this.copy(tensors[i] as TensorInfo, copies[k] as TensorInfo, 0);
    }
    return { arrays: tensors.map((tensor, i) => copies[chosen.indexOf(i)] ?? tensor), copies };
  }

  private boundAs({ buffer, range }: MergedArray): Bound {
    return range ? this.partOf(buffer, range.from, range.size) : this.wholeOf(buffer);
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
    this.constants.delete(buffer);
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
    const place = this.uniforms.place(bytes);
    // What lies between them is compared, too.
    bytesIn(place.view).fill(0);
    return place;
  }

  private note(make: () => Command): void {
    this.recorder.log?.commands.push(make());
  }

  private cannotReplay(problem: string): void {
    const { log } = this.recorder;
    if (log) log.problem ??= problem;
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
}
