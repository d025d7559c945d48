import { backend_util, type TensorInfo, util } from "@tensorflow/tfjs";
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
  readonly buffer: GPUBuffer;
  readonly id: number;
}

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
  private readonly bindGroups = new Map<string, GPUBindGroup>();
  private readonly pipelineIds = new Map<object, { id: string; layout: GPUBindGroupLayout }>();
  private calls = 0;

  constructor(device: GPUDevice, info: GPUAdapterInfo) {
    super(device, info);
    this.mostArrays = device.limits.maxStorageBuffersPerShaderStage;
    this.pool = new BufferPool(device, () => this.bindGroups.clear());
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
    const key = `${layoutId}:${uniformBytes}:${bound.map(({ id }) => id).join()}`;
    const group = this.bindGroup(key, layout, [first, ...bound.map(({ buffer }) => ({ buffer }))]);
    const pass = this.openPass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group, [offset]);
    pass.dispatchWorkgroups(...groups);
    this.countCall();
  }

  clear(tensor: TensorInfo): void {
    const { buffer } = this.boundOf(tensor);
    this.ensureCommandEncoderReady();
    this.endComputePassEncoder();
    this.commandEncoder?.clearBuffer(buffer);
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
    const key = `${known.id}:${offset}:${bytes}:${bound.map(({ id }) => id).join()}`;
    const group = this.bindGroup(key, known.layout, [
      ...bound.map(({ buffer }) => ({ buffer })),
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
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    if (values == null) {
      data.resource = this.pool.take(bytes, usage);
      return;
    }
    const isInteger = dtype === "int32" || dtype === "bool";
    const words = (isInteger ? Int32Array : Float32Array).from(values as ArrayLike<number>);
    const buffer = this.pool.takeForWriting(bytes, usage);
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
    const { resource, dtype, shape } = data;
    if (data.values != null || !(resource instanceof GPUBuffer)) return super.read(dataId);
    const bytes = await this.readBytes(resource, 4 * util.sizeFromShape(shape));
    // Kept, as tfjs does: some kernels want values of small tensors at once.
    data.values = util.convertBackendValuesAndArrayBuffer(bytes, dtype);
    return data.values;
  }

  override dispose(): void {
    super.dispose();
    this.uniforms.dispose();
  }

  private async readBytes(buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    const staging = this.pool.take(bytes, GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ);
    this.ensureCommandEncoderReady();
    this.endComputePassEncoder();
    if (bytes > 0) this.commandEncoder?.copyBufferToBuffer(buffer, 0, staging, 0, bytes);
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

  private boundOf({ dataId }: TensorInfo): Bound {
    this.uploadToGPU(dataId);
    const { resource } = this.tensorMap.get(dataId);
    if (!(resource instanceof GPUBuffer)) throw new Error("The tensor is not in a buffer.");
    return { buffer: resource, id: this.pool.idOf(resource) };
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
