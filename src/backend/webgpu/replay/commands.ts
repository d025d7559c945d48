/** A call of a shader. Its uniforms come first with an offset of their own, or last in a place of their own. */
export interface DispatchCommand {
  readonly kind: "dispatch";
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly bindings: readonly GPUBufferBinding[];
  readonly uniforms: Uint8Array<ArrayBuffer>;
  readonly uniformsAre: "first" | "last";
  readonly groups: readonly number[];
}

interface CopyCommand {
  readonly kind: "copy";
  readonly from: GPUBuffer;
  readonly fromOffset: number;
  readonly to: GPUBuffer;
  readonly toOffset: number;
  readonly bytes: number;
}

interface ClearCommand {
  readonly kind: "clear";
  readonly to: GPUBuffer;
  readonly toOffset: number;
  readonly bytes: number;
}

/** Values of the host: always the same, or those of an input. */
export interface UploadCommand {
  readonly kind: "upload";
  readonly to: GPUBuffer;
  readonly bytes: number;
  /** Its number among the tensors that are read. */
  readonly input?: number;
  /** Of an input that is too large to be copied: the queue writes it, before what is recorded next. */
  readonly isWritten?: boolean;
  readonly values?: Uint8Array<ArrayBuffer>;
}

/** What is asked of the device, one after the other. */
export type Command = DispatchCommand | CopyCommand | ClearCommand | UploadCommand;

/** The buffers that a command reads or writes. */
export function buffersOf(command: Command): readonly GPUBuffer[] {
  if (command.kind === "dispatch") return command.bindings.map(({ buffer }) => buffer);
  return command.kind === "copy" ? [command.from, command.to] : [command.to];
}

/**
 * How one command differs from another, in words; undefined if it does not.
 *
 * @param inSameBuffers whether it has to be in the same buffers
 */
export function difference(
  one: Command,
  other: Command,
  inSameBuffers: boolean,
): string | undefined {
  if (one.kind !== other.kind) return `${one.kind} in the place of ${other.kind}`;
  const name = one.kind === "dispatch" ? `call of ${one.pipeline.label}` : one.kind;
  if (!isSame(one, other)) return `${name} with other values or sizes`;
  if (inSameBuffers && !isInSameBuffers(one, other)) return `${name} in other buffers`;
  return undefined;
}

function isSame(one: Command, other: Command): boolean {
  if (one.kind === "dispatch" && other.kind === "dispatch") {
    return (
      one.pipeline === other.pipeline &&
      one.bindings.length === other.bindings.length &&
      one.groups.every((count, i) => count === other.groups[i]) &&
      areBytesEqual(one.uniforms, other.uniforms)
    );
  }
  if (one.kind === "upload" && other.kind === "upload") {
    return (
      one.bytes === other.bytes &&
      one.input === other.input &&
      areBytesEqual(one.values, other.values)
    );
  }
  return (one as ClearCommand).bytes === (other as ClearCommand).bytes;
}

function isInSameBuffers(one: Command, other: Command): boolean {
  const offsets = (command: Command) =>
    command.kind === "dispatch"
      ? command.bindings.flatMap(({ offset, size }) => [offset, size])
      : [(command as CopyCommand).fromOffset, (command as CopyCommand).toOffset];
  const others = buffersOf(other);
  const otherOffsets = offsets(other);
  return (
    buffersOf(one).every((buffer, i) => buffer === others[i]) &&
    offsets(one).every((offset, i) => offset === otherOffsets[i])
  );
}

function areBytesEqual(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}
