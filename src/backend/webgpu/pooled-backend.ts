import type { backend_util } from "@tensorflow/tfjs-core";
import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { WebGPUProgram } from "@tensorflow/tfjs-backend-webgpu";
import type { GpuProgram, GpuTensors } from "../../ops/index.js";
import { BufferPool } from "./buffer-pool.js";
import { ProgramCache } from "./programs.js";
import { type ProgramUniform, TfjsBackend } from "./tfjs-backend.js";
import { placeUniforms, uniformsOf, writeUniforms } from "./tfjs-uniforms.js";
import { UniformArena } from "./uniform-arena.js";

/** Calls in one recording at most: so that the device has begun before a very long one is complete. */
const mostCalls = 1024;
const mostBindGroups = 2 ** 15;

/** What goes into an array of a shader. */
interface Bound {
  readonly binding: GPUBufferBinding;
  readonly key: string;
}

const usage = () => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/**
 * tfjs's WebGPU backend with buffers and bind groups that are used again, and one recording for all that
 * happens between two reads of the host. tfjs's own submits every 15 calls and makes a buffer for the uniforms
 * and a bind group for each.
 */
export class PooledBackend extends TfjsBackend implements GpuTensors {
  readonly mostArrays: number;
  private readonly pool: BufferPool;
  private readonly uniforms: UniformArena;
  private readonly programs: ProgramCache;
  /** Arrays that several tensors lie in, by buffer. */
  private readonly packs = new Map<GPUBuffer, TensorInfo>();
  private readonly bindGroups = new Map<string, GPUBindGroup>();
  private readonly pipelineIds = new Map<object, { id: string; layout: GPUBindGroupLayout }>();
  private calls = 0;

  constructor(device: GPUDevice, info: GPUAdapterInfo) {
    super(device, info);
    this.mostArrays = device.limits.maxStorageBuffersPerShaderStage;
    this.pool = new BufferPool(device, {
      onFree: (buffer) => this.forget(buffer),
      onDestroy: () => this.bindGroups.clear(),
    });
    this.bufferManager = this.pool;
    this.uniforms = new UniformArena(device);
    this.programs = new ProgramCache(device);
  }

  newTensor(shape: readonly number[], dtype: "float32" | "int32" = "float32"): TensorInfo {
    const info = this.makeTensorInfo([...shape], dtype);
    this.uploadToGPU(info.dataId);
    return info;
  }

  run(
    program: GpuProgram,
    tensors: readonly TensorInfo[],
    params: readonly number[],
    groups: readonly [number, number, number],
  ): void {
    const { pipeline, layout, layoutId, uniformBytes, kinds } = this.programs.get(program);
    const bound = tensors.map((tensor) => this.boundOf(tensor));
    if (groups.includes(0)) return;
    const { offset, view } = this.placeUniforms(uniformBytes);
    for (const [i, kind] of kinds.entries()) {
      const value = params[i];
      if (value === undefined) throw new Error(`${program.name}: no ${program.params[i]}.`);
      if (kind === "f32") view.setFloat32(4 * i, value, true);
      else view.setInt32(4 * i, value, true);
    }
    const first = { buffer: this.uniforms.buffer, offset: 0, size: uniformBytes };
    // Written in place: what the host knows of them is old.
    for (const { dataId } of tensors.slice(program.reads.length)) {
      this.tensorMap.get(dataId).values = null;
    }
    const key = `${layoutId}:${uniformBytes}:${bound.map((one) => one.key).join()}`;
    const group = this.bindGroup(key, layout, [first, ...bound.map(({ binding }) => binding)]);
    const pass = this.openPass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group, [offset]);
    pass.dispatchWorkgroups(...groups);
    this.countCall();
  }

  clear(tensor: TensorInfo): void {
    const { buffer, offset } = this.placeOf(tensor);
    this.openEncoder().clearBuffer(buffer, offset, 4 * util.sizeFromShape(tensor.shape));
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
    const starts: number[] = [];
    let words = 0;
    for (const { shape } of tensors) {
      starts.push(words);
      words += alignment * Math.ceil(util.sizeFromShape(shape) / alignment);
    }
    const { maxStorageBufferBindingSize, maxBufferSize } = this.device.limits;
    if (4 * words > Math.min(maxStorageBufferBindingSize, maxBufferSize)) return undefined;
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
    for (const [i, { dataId }] of tensors.entries()) {
      const data = this.tensorMap.get(dataId);
      this.pool.give(data.resource as GPUBuffer);
      data.resource = whole;
      data.offset = 4 * (starts[i] as number);
    }
    this.pool.share(whole, tensors.length);
    this.packs.set(whole, array);
    return array;
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
    const uniforms = uniformsOf(program, inputs, output, own);
    const { offsets, bytes } = placeUniforms(uniforms);
    const { offset, view } = this.placeUniforms(bytes);
    writeUniforms(view, uniforms, offsets);
    const known = this.pipelineIds.get(pipeline) ?? {
      id: `t${this.pipelineIds.size}`,
      layout: pipeline.getBindGroupLayout(0),
    };
    this.pipelineIds.set(pipeline, known);
    const bound = [output, ...inputs].map((tensor) => this.boundOf(tensor));
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
    const buffer = this.pool.takeForWriting(bytes, usage());
    this.queue.writeBuffer(buffer, 0, words);
    data.resource = buffer;
    data.values = null;
  }

  override submitQueue(): void {
    this.endComputePassEncoder();
    if (this.commandEncoder === null) return;
    this.uniforms.flush(this.queue);
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
    // Kept, as tfjs does: some kernels want values of small tensors at once.
    data.values = util.convertBackendValuesAndArrayBuffer(bytes, dtype);
    return data.values;
  }

  override dispose(): void {
    super.dispose();
    this.uniforms.dispose();
  }

  private async readBytes(buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    const staging = this.pool.take(bytes, GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ);
    if (bytes > 0) this.openEncoder().copyBufferToBuffer(buffer, offset, staging, 0, bytes);
    this.submitQueue();
    try {
      await staging.mapAsync(GPUMapMode.READ, 0, Math.max(4, bytes));
      const values = staging.getMappedRange(0, Math.max(4, bytes)).slice(0, bytes);
      staging.unmap();
      return values;
    } finally {
      this.pool.give(staging);
    }
  }

  private placeOf({ dataId }: TensorInfo): { buffer: GPUBuffer; offset: number } {
    this.uploadToGPU(dataId);
    const { resource, offset = 0 } = this.tensorMap.get(dataId);
    if (!(resource instanceof GPUBuffer)) throw new Error("The tensor is not in a buffer.");
    return { buffer: resource, offset };
  }

  private boundOf(tensor: TensorInfo): Bound {
    const { buffer, offset } = this.placeOf(tensor);
    const id = this.pool.idOf(buffer);
    if (!this.packs.has(buffer)) return { binding: { buffer }, key: String(id) };
    // Programs of tfjs read vectors of four, so a binding has whole ones.
    const size = 16 * Math.ceil((4 * util.sizeFromShape(tensor.shape)) / 16);
    return { binding: { buffer, offset, size }, key: `${id}+${offset}+${size}` };
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

  private placeUniforms(bytes: number): ReturnType<UniformArena["place"]> {
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
