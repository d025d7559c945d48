import type { Tensor } from "@tensorflow/tfjs-core";
import type { RecordedResult } from "../../../tensors/index.js";
import { buffersOf, type Command, difference } from "./commands.js";
import type { CommandLog, RecordingHost } from "./host.js";

/** A tensor that was given: values on the host and the buffer that they were brought to, or a place on the device. */
export type Read =
  | {
      readonly kind: "host";
      readonly shape: readonly number[];
      readonly dtype: string;
      readonly buffer: GPUBuffer;
    }
  | {
      readonly kind: "device";
      readonly buffer: GPUBuffer;
      readonly offset: number;
      readonly refCount: number;
      readonly isHalf: boolean;
    };

interface Output {
  readonly name: string;
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly shape: readonly number[];
  /** Of its buffer, see {@link RecordingHost.sharedWords}. */
  readonly sharedWords: number | undefined;
}

/** What one run of a computation asked of the device. */
export interface Capture {
  readonly commands: readonly Command[];
  readonly reads: readonly Read[];
  /** Buffers that were taken for it, all free again but those of inputs and outputs. */
  readonly taken: ReadonlySet<GPUBuffer>;
  /** Constants of kernels that it reads. */
  readonly constants: readonly object[];
  readonly outputs: readonly Output[];
  readonly facts: unknown;
}

/** Notes what is given; what is only on the host is then brought to the device. */
export function noteReads(
  host: RecordingHost,
  tensors: readonly Tensor[],
  log?: CommandLog,
): Read[] {
  return tensors.map(({ dataId, shape, dtype }, input): Read => {
    const data = host.dataOf(dataId);
    if (data === undefined) throw new Error("A tensor that is given is not of this backend.");
    const { resource, offset = 0, refCount, isHalf = false } = data;
    if (resource instanceof GPUBuffer)
      return { kind: "device", buffer: resource, offset, refCount, isHalf };
    if (log) log.input = input;
    host.uploadToGPU(dataId);
    if (log) delete log.input;
    return { kind: "host", shape, dtype, buffer: host.dataOf(dataId)?.resource as GPUBuffer };
  });
}

/** What was recorded, or why it cannot be carried out again. */
export function captureOf(
  host: RecordingHost,
  { commands, problem }: CommandLog,
  tensors: readonly Tensor[],
  reads: readonly Read[],
  taken: ReadonlySet<GPUBuffer>,
  { tensors: left, facts }: RecordedResult<unknown>,
): Capture | string {
  if (problem !== undefined) return problem;
  const outputs: Output[] = [];
  for (const [name, { dataId, shape, dtype }] of Object.entries(left)) {
    const { resource, offset = 0 } = host.dataOf(dataId) ?? {};
    if (!(resource instanceof GPUBuffer) || !taken.has(resource) || dtype !== "float32") {
      return `${name} is no new tensor of numbers on the device`;
    }
    const sharedWords = host.sharedWords(resource);
    outputs.push({ name, buffer: resource, offset, shape, sharedWords });
  }
  const inputs = new Set<unknown>();
  const given = new Set<unknown>();
  for (const [i, { dataId }] of tensors.entries()) {
    const { resource } = host.dataOf(dataId) ?? {};
    const read = reads[i] as Read;
    (read.kind === "host" ? inputs : given).add(resource);
    if (read.kind === "host" && resource !== read.buffer) return "it changes what it is given";
  }
  const kept = new Set<unknown>([...inputs, ...outputs.map(({ buffer }) => buffer)]);
  for (const buffer of taken) {
    if (!host.pool.isFree(buffer) && !kept.has(buffer)) return "it keeps tensors of its own";
  }
  const constants = new Set<object>();
  for (const buffer of commands.flatMap(buffersOf)) {
    if (taken.has(buffer) || given.has(buffer)) continue;
    const constant = host.constantIn(buffer);
    if (constant === undefined) return "it reads a tensor that it was not given";
    constants.add(constant);
  }
  return { commands, reads, taken, constants: [...constants], outputs, facts };
}

/** How a run differs from another, in words; undefined if the one can stand for the other. */
export function captureDifference(
  one: Capture,
  other: Capture,
  inSameBuffers: boolean,
): string | undefined {
  if (one.commands.length !== other.commands.length) {
    return `${one.commands.length} commands, and ${other.commands.length} before`;
  }
  for (const [i, command] of one.commands.entries()) {
    const found = difference(command, other.commands[i] as Command, inSameBuffers);
    if (found !== undefined) return `command ${i + 1}: ${found}`;
  }
  const places = ({ outputs }: Capture) =>
    outputs.map(({ name, offset, shape }) => `${name} ${offset} ${shape.join()}`).join("; ");
  if (places(one) !== places(other)) return "other outputs";
  const areSame = one.outputs.every(({ buffer }, i) => buffer === other.outputs[i]?.buffer);
  return areSame || !inSameBuffers ? undefined : "outputs in other buffers";
}
