import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { WebGPUProgram } from "@tensorflow/tfjs-backend-webgpu";
import { type GpuProgram, type GpuTensors, splitArrays } from "../../ops/index.js";
import { arraysToMove, bindingWords, mergedFor, programFor, sideBySide } from "./array-places.js";
import { type Bound, pieceBytes, tooLarge } from "./bindings.js";
import { bytesIn, tensorUsage } from "./command-backend.js";
import { ProgramCache } from "./programs.js";
import { ReplayingBackend } from "./replaying-backend.js";
import type { ProgramUniform } from "./tfjs-backend.js";
import { placeUniforms, uniformsOf, writeUniforms } from "./tfjs-uniforms.js";

/**
 * tfjs's WebGPU backend with buffers and bind groups that are used again, and one recording for all that
 * happens between two reads of the host. tfjs's own submits every 15 calls and makes a buffer for the uniforms
 * and a bind group for each. Here are the calls of shaders: ours ({@link GpuTensors}) and those of tfjs.
 */
export abstract class PooledBackend extends ReplayingBackend implements GpuTensors {
  mostArrays: number;
  private readonly programs: ProgramCache;
  private readonly pipelineIds = new Map<object, { id: string; layout: GPUBindGroupLayout }>();

  constructor(device: GPUDevice, info: GPUAdapterInfo) {
    super(device, info);
    this.mostArrays = device.limits.maxStorageBuffersPerShaderStage;
    this.programs = new ProgramCache(device);
  }

  abstract isHalf(tensor: TensorInfo): boolean;
  abstract holdAsHalf(tensor: TensorInfo): void;

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
    const buffer = this.pool.take(4 * words, tensorUsage());
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
    const sizes = tensors.map((tensor) => this.bytesOf(tensor));
    const { arrays, copies } = this.gathered(given, tensors, sizes);
    const places = arrays.map((tensor) => this.placeOf(tensor));
    const placed = programFor(given, places);
    const merged = mergedFor(placed, places, sizes, this.mostBytes);
    const pieces = (merged?.bound ?? [...arrays.keys()]).map((i) =>
      this.bindings.piecesOf(
        merged?.arrayOf(i) ?? this.arrayFor(arrays[i] as TensorInfo),
        this.mostBytes,
      ),
    );
    const bound = pieces.flat();
    const program = this.inPieces(merged?.program ?? placed, pieces);
    const { pipeline, layout, layoutId, uniformBytes, kinds } = this.programs.get(program);
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
    const group = this.bindings.group(key, layout, [first, ...bound.map(({ binding }) => binding)]);
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
    const toOffset = target.offset + 4 * at;
    this.copyBytes(source.buffer, source.offset, target.buffer, toOffset, this.bytesOf(from));
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
    const group = this.bindings.group(key, known.layout, [
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

  /** The program with arrays in pieces, where what is bound for an array is several. */
  private inPieces(program: GpuProgram, bound: readonly (readonly Bound[])[]): GpuProgram {
    const counts = bound.map(({ length }) => length);
    if (counts.every((count) => count === 1)) return program;
    const piece = pieceBytes(this.mostBytes);
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total > this.mostArrays) throw tooLarge(piece * Math.max(...counts), this.mostBytes);
    return splitArrays(program, counts, piece / 4);
  }

  /** The tensors of a call, some of them as copies in one buffer where they are in too many. */
  private gathered(
    program: GpuProgram,
    tensors: readonly TensorInfo[],
    sizes: readonly number[],
  ): { arrays: readonly TensorInfo[]; copies: readonly TensorInfo[] } {
    const piecesOf = (size: number) => Math.max(1, Math.ceil(size / pieceBytes(this.mostBytes)));
    const most = sizes.reduce((left, size) => left - piecesOf(size) + 1, this.mostArrays);
    if (tensors.length <= most) return { arrays: tensors, copies: [] };
    const buffers = tensors.map((tensor) => this.placeOf(tensor).buffer);
    const chosen = arraysToMove(program, buffers, sizes, most);
    const copies = this.newTensors(chosen.map((i) => (tensors[i] as TensorInfo).shape));
    for (const [k, i] of chosen.entries()) {
      this.copy(tensors[i] as TensorInfo, copies[k] as TensorInfo, 0);
    }
    return { arrays: tensors.map((tensor, i) => copies[chosen.indexOf(i)] ?? tensor), copies };
  }
}
