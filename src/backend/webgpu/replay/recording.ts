import type { Tensor, TensorInfo } from "@tensorflow/tfjs-core";
import { destroyBuffer, makeBuffer } from "../device-memory.js";
import { uniformAlignment } from "../host-arena.js";
import { wordsOf } from "../words.js";
import type { Capture } from "./capture.js";
import type { Command, DispatchCommand } from "./commands.js";
import type { RecordingHost } from "./host.js";

type Step =
  | {
      readonly pipeline: GPUComputePipeline;
      readonly group: GPUBindGroup;
      readonly offsets: readonly number[];
      readonly groups: readonly [number, number, number];
    }
  | { readonly copy: (encoder: GPUCommandEncoder) => void };

/**
 * Commands that can be carried out again. What the host gives them is in buffers of its own: uniforms and constants for
 * good, inputs anew each time, but for large ones, which are written to where they are read. All others are the pool's. They must be free when it begins, and are as soon as it is recorded.
 */
export class Recording {
  readonly capture: Capture;
  private readonly host: RecordingHost;
  private readonly steps: readonly Step[];
  private readonly uniforms: GPUBuffer;
  private readonly uploads: GPUBuffer;
  /** The values of the inputs, which lie first among the uploads. */
  private readonly inputs: Uint8Array<ArrayBuffer>;
  /** By number of the tensor, where its values begin. */
  private readonly inputOffsets = new Map<number, number>();
  /** And of large ones, the buffer that they are written to. */
  private readonly writtenInputs = new Map<number, GPUBuffer>();
  /** By buffer, how many outputs lie in it, and of how many words the array of all of them is. */
  private readonly outputsIn = new Map<
    GPUBuffer,
    { readonly users: number; readonly words: number | undefined }
  >();
  private readonly written: ReadonlySet<GPUBuffer>;
  /** The recording of the backend that it was last part of. */
  private lastIn = -1;

  constructor(host: RecordingHost, capture: Capture) {
    this.host = host;
    this.capture = capture;
    const uploads = placeUploads(capture.commands);
    const { values: uniformValues, offsets } = placeUniforms(capture.commands);
    this.uniforms = filled(host.device, GPUBufferUsage.UNIFORM, uniformValues);
    this.uploads = filled(host.device, GPUBufferUsage.COPY_SRC, uploads.values);
    this.inputs = uploads.values.slice(0, uploads.inputBytes);
    const written = new Set<GPUBuffer>();
    this.steps = capture.commands.flatMap((command, i): Step | [] => {
      if (command.kind === "dispatch") {
        for (const { buffer } of command.bindings) written.add(buffer);
        return this.callOf(command, offsets[i] as number);
      }
      const { to, bytes } = command;
      if (command.kind === "clear") {
        return { copy: (encoder) => encoder.clearBuffer(to, command.toOffset, bytes) };
      }
      if (command.kind === "copy") {
        const { from, fromOffset, toOffset } = command;
        return {
          copy: (encoder) => encoder.copyBufferToBuffer(from, fromOffset, to, toOffset, bytes),
        };
      }
      if (command.isWritten === true) {
        this.writtenInputs.set(command.input as number, to);
        return [];
      }
      const start = uploads.offsets[i] as number;
      if (command.input !== undefined) this.inputOffsets.set(command.input, start);
      return { copy: (encoder) => encoder.copyBufferToBuffer(this.uploads, start, to, 0, bytes) };
    });
    this.written = written;
    for (const { buffer, sharedWords: words } of capture.outputs) {
      const { users = 0 } = this.outputsIn.get(buffer) ?? {};
      this.outputsIn.set(buffer, { users: users + 1, words });
    }
  }

  /** Why it cannot be carried out with these tensors now; undefined if it can. */
  problem(tensors: readonly Tensor[]): string | undefined {
    const { reads, constants, taken } = this.capture;
    if (tensors.length !== reads.length) return "other tensors are given";
    for (const [i, { dataId, shape, dtype }] of tensors.entries()) {
      const data = this.host.dataOf(dataId);
      const read = reads[i] as Capture["reads"][number];
      if (read.kind === "host") {
        const isHere = data?.resource == null && data?.values != null;
        if (!isHere) return `tensor ${i + 1} is on the device already`;
        if (dtype !== read.dtype || shape.join() !== read.shape.join()) return "other shapes";
        continue;
      }
      const isThere = data?.resource === read.buffer && (data.offset ?? 0) === read.offset;
      if (!isThere) return `tensor ${i + 1} is in another place`;
      if ((data.isHalf ?? false) !== read.isHalf) return `tensor ${i + 1} is held in other words`;
      // What is written in place must not be seen by others.
      if (data.refCount !== read.refCount) return `tensor ${i + 1} has other users`;
    }
    if (constants.some((dataId) => this.host.dataOf(dataId) === undefined))
      return "a constant is gone";
    for (const buffer of taken) {
      if (!this.host.pool.isFree(buffer)) return "memory of it is in use";
    }
    return undefined;
  }

  /** Records the commands again; {@link problem} must have found none. */
  replay(tensors: readonly Tensor[]): Record<string, TensorInfo> {
    const { host, capture } = this;
    const { pool, device } = host;
    // The values of its last time must have been read.
    if (this.lastIn === pool.recordingNumber || this.writtenInputs.size > 0) host.submitQueue();
    const wordsOfInput = (i: number) => {
      const { values, dtype } = host.dataOf((tensors[i] as Tensor).dataId) ?? {};
      return wordsOf(values as ArrayLike<number>, dtype);
    };
    for (const [i, buffer] of this.writtenInputs) {
      device.queue.writeBuffer(buffer, 0, wordsOfInput(i));
    }
    for (const [i, offset] of this.inputOffsets) {
      const words = wordsOfInput(i);
      this.inputs.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength), offset);
    }
    if (this.inputs.length > 0) device.queue.writeBuffer(this.uploads, 0, this.inputs);
    pool.touch(capture.taken);
    for (const step of this.steps) {
      if ("copy" in step) {
        step.copy(host.openEncoder());
        continue;
      }
      const pass = host.openPass();
      pass.setPipeline(step.pipeline);
      pass.setBindGroup(0, step.group, step.offsets);
      pass.dispatchWorkgroups(...step.groups);
      host.countCall();
    }
    this.lastIn = pool.recordingNumber;
    pool.touch(capture.taken);
    for (const [i, read] of capture.reads.entries()) {
      const data = host.dataOf((tensors[i] as Tensor).dataId);
      if (data === undefined) continue;
      if (read.kind === "host") {
        // It lies there now, as after a run in full: so what comes next finds the same buffers free.
        pool.claim(read.buffer, 1);
        data.resource = read.buffer;
        data.values = null;
      } else if (this.written.has(read.buffer)) {
        // What the host knows of it may be old.
        data.values = null;
      }
    }
    for (const [buffer, { users, words }] of this.outputsIn) {
      pool.claim(buffer, users);
      if (words !== undefined) host.share(buffer, words);
    }
    return Object.fromEntries(
      capture.outputs.map(({ name, buffer, offset, shape }) => [
        name,
        host.tensorIn(buffer, offset, shape),
      ]),
    );
  }

  dispose(): void {
    // What is recorded and not yet submitted reads them.
    if (this.lastIn === this.host.pool.recordingNumber) this.host.submitQueue();
    for (const buffer of [this.uniforms, this.uploads]) destroyBuffer(this.host.device, buffer);
  }

  private callOf(command: DispatchCommand, offset: number): Step {
    const { pipeline, layout, bindings, uniforms, uniformsAre, groups } = command;
    const size = uniforms.length;
    const isFirst = uniformsAre === "first";
    const own = { buffer: this.uniforms, offset: isFirst ? 0 : offset, size };
    const resources = isFirst ? [own, ...bindings] : [...bindings, own];
    const entries = resources.map((resource, binding) => ({ binding, resource }));
    const group = this.host.device.createBindGroup({ layout, entries });
    const offsets = isFirst ? [offset] : [];
    return { pipeline, group, offsets, groups: groups as [number, number, number] };
  }
}

function filled(
  device: GPUDevice,
  usage: GPUBufferUsageFlags,
  values: Uint8Array<ArrayBuffer>,
): GPUBuffer {
  const size = Math.max(4, values.length);
  const buffer = makeBuffer(device, { size, usage: usage | GPUBufferUsage.COPY_DST });
  if (values.length > 0) device.queue.writeBuffer(buffer, 0, values);
  return buffer;
}

/** The uniforms of all calls side by side, and by command where its begin. */
function placeUniforms(commands: readonly Command[]) {
  let bytes = 0;
  const offsets = commands.map((command) => {
    const offset = bytes;
    if (command.kind === "dispatch") {
      bytes += uniformAlignment * Math.ceil(command.uniforms.length / uniformAlignment);
    }
    return offset;
  });
  const values = new Uint8Array(bytes);
  for (const [i, command] of commands.entries()) {
    if (command.kind === "dispatch") values.set(command.uniforms, offsets[i] as number);
  }
  return { values, offsets };
}

/** The values of the host side by side, those of inputs first, and by command where its begin. */
function placeUploads(commands: readonly Command[]) {
  const offsets: number[] = [];
  let bytes = 0;
  const place = (isInput: boolean) => {
    for (const [i, command] of commands.entries()) {
      if (command.kind !== "upload" || command.isWritten === true) continue;
      if ((command.input !== undefined) !== isInput) continue;
      offsets[i] = bytes;
      bytes += 16 * Math.ceil(command.bytes / 16);
    }
    return bytes;
  };
  const inputBytes = place(true);
  const values = new Uint8Array(place(false));
  for (const [i, command] of commands.entries()) {
    if (command.kind === "upload" && command.values) {
      values.set(command.values, offsets[i] as number);
    }
  }
  return { values, offsets, inputBytes };
}
