import { PupilError } from "../../errors/index.js";
import { destroyBuffer, makeBuffer } from "./device-memory.js";
import { sizeInWords } from "./sizes.js";

/** Sizes are rounded up to classes at most an eighth apart, so that buffers fit again. */
function sizeClass(bytes: number): number {
  const smallest = 256;
  if (bytes <= smallest) return smallest;
  const step = Math.max(smallest, 2 ** (Math.floor(Math.log2(bytes)) - 3));
  return Math.ceil(bytes / step) * step;
}

interface Entry {
  readonly buffer: GPUBuffer;
  readonly id: number;
  readonly bytes: number;
  /** The recording during which it was given back, or written by one that has no users. */
  freedIn: number;
  isFree: boolean;
}

export interface PoolEvents {
  /** A buffer has no user any more. */
  onFree(buffer: GPUBuffer): void;
  /** Buffers were destroyed: whoever remembers any must forget it. */
  onDestroy(buffers: ReadonlySet<GPUBuffer>): void;
}

/** Free memory beyond this many bytes, and beyond what is in use, is given back to the device. */
const mostFreeBytes = 2 ** 30;
/** Recordings that a buffer must have been free for before that. */
const idleRecordings = 32;

/**
 * Buffers that are used again. A buffer that is given back may be taken at once by later commands of the
 * same recording: the device runs them in order. It may **not** be written from the host before the
 * recording has been submitted, because such a write would come before the commands that still read
 * the old values; {@link takeForWriting} gives only buffers that no open recording has used.
 *
 * The free buffer with the lowest number is taken first. So a step that takes and gives back like the one
 * before it gets the same buffers, and its bind groups are known already.
 */
export class BufferPool {
  /** As tfjs's own manager of buffers counts them. */
  numBytesUsed = 0;
  numBytesAllocated = 0;
  private readonly device: GPUDevice;
  private readonly events: PoolEvents;
  /** By usage and class, in the order of their numbers. */
  private readonly free = new Map<string, Entry[]>();
  private readonly entries = new Map<GPUBuffer, Entry>();
  /** Users that are left. */
  private readonly shared = new Map<GPUBuffer, number>();
  private nextId = 1;
  private recording = 0;
  /** Buffers that were taken since tracking began. */
  private tracked: Set<GPUBuffer> | undefined;

  constructor(device: GPUDevice, events: PoolEvents) {
    this.device = device;
    this.events = events;
  }

  /** A buffer for commands; its content is whatever was in it. */
  take(bytes: number, usage: GPUBufferUsageFlags): GPUBuffer {
    return this.takeIf(bytes, usage, () => true);
  }

  /** A buffer that no command recorded so far and not yet submitted reads or writes. */
  takeForWriting(bytes: number, usage: GPUBufferUsageFlags): GPUBuffer {
    return this.takeIf(bytes, usage, ({ freedIn }) => freedIn < this.recording);
  }

  /** To be given back as often as it has users before it is free. */
  share(buffer: GPUBuffer, users: number): void {
    this.shared.set(buffer, users);
  }

  /** One more user of a buffer that has some. */
  addUser(buffer: GPUBuffer): void {
    this.shared.set(buffer, (this.shared.get(buffer) ?? 1) + 1);
  }

  give(buffer: GPUBuffer): void {
    const entry = this.entries.get(buffer);
    if (entry === undefined) throw new Error("The buffer is not from this pool.");
    const users = this.shared.get(buffer) ?? 1;
    this.shared.set(buffer, users - 1);
    if (users > 1) return;
    this.shared.delete(buffer);
    this.events.onFree(buffer);
    entry.freedIn = this.recording;
    entry.isFree = true;
    this.numBytesUsed -= entry.bytes;
    const list = this.listOf(entry.bytes, buffer.usage);
    const at = list.findIndex(({ id }) => id > entry.id);
    list.splice(at < 0 ? list.length : at, 0, entry);
  }

  isFree(buffer: GPUBuffer): boolean {
    return this.entries.get(buffer)?.isFree === true;
  }

  /** Takes this buffer, which is free, for so many users. */
  claim(buffer: GPUBuffer, users: number): void {
    const entry = this.entries.get(buffer);
    if (entry?.isFree !== true) throw new Error("The buffer is not free.");
    const list = this.listOf(entry.bytes, buffer.usage);
    list.splice(list.indexOf(entry), 1);
    this.own(entry);
    this.share(buffer, users);
  }

  /** Notes that the open recording uses buffers, which need not have a user. */
  touch(buffers: Iterable<GPUBuffer>): void {
    for (const buffer of buffers) {
      const entry = this.entries.get(buffer);
      if (entry) entry.freedIn = this.recording;
    }
  }

  /** The set of all buffers that are taken from here on. */
  startTracking(): ReadonlySet<GPUBuffer> {
    this.tracked = new Set();
    return this.tracked;
  }

  stopTracking(): void {
    this.tracked = undefined;
  }

  /** The open recording, counted from 0. */
  get recordingNumber(): number {
    return this.recording;
  }

  /** A number that no other buffer ever has. */
  idOf(buffer: GPUBuffer): number {
    const entry = this.entries.get(buffer);
    if (entry === undefined) throw new Error("The buffer is not from this pool.");
    return entry.id;
  }

  /** To be called after a submit: what was recorded before is now ahead of every write from the host. */
  nextRecording(): void {
    this.recording += 1;
    const freeBytes = this.numBytesAllocated - this.numBytesUsed;
    if (freeBytes > Math.max(mostFreeBytes, this.numBytesUsed)) this.trim(idleRecordings);
  }

  /** Destroys free buffers that no recording has used lately. Only right after a submit. */
  trim(idle: number): void {
    const destroyed = new Set<GPUBuffer>();
    for (const [key, list] of this.free) {
      const isIdle = ({ freedIn }: Entry) => this.recording - freedIn >= idle;
      for (const { buffer, bytes } of list.filter(isIdle)) {
        this.entries.delete(buffer);
        this.numBytesAllocated -= bytes;
        destroyBuffer(this.device, buffer);
        destroyed.add(buffer);
      }
      this.free.set(
        key,
        list.filter((entry) => !isIdle(entry)),
      );
    }
    if (destroyed.size > 0) this.events.onDestroy(destroyed);
  }

  /** Destroys everything. */
  dispose(): void {
    for (const buffer of this.entries.keys()) destroyBuffer(this.device, buffer);
    this.entries.clear();
    this.free.clear();
    this.numBytesUsed = 0;
    this.numBytesAllocated = 0;
  }

  // The names that tfjs's backend calls.
  acquireBuffer(bytes: number, usage: GPUBufferUsageFlags): GPUBuffer {
    return this.take(bytes, usage);
  }

  releaseBuffer(buffer: GPUBuffer): void {
    this.give(buffer);
  }

  private takeIf(
    wanted: number,
    usage: GPUBufferUsageFlags,
    fits: (entry: Entry) => boolean,
  ): GPUBuffer {
    const bytes = this.sizeFor(wanted);
    const list = this.listOf(bytes, usage);
    const at = list.findIndex(fits);
    const [entry = this.make(bytes, usage)] = at < 0 ? [] : list.splice(at, 1);
    return this.own(entry);
  }

  private make(bytes: number, usage: GPUBufferUsageFlags): Entry {
    const buffer = makeBuffer(this.device, { size: bytes, usage });
    this.numBytesAllocated += bytes;
    const entry = { buffer, id: this.nextId++, bytes, freedIn: -1, isFree: false };
    this.entries.set(buffer, entry);
    return entry;
  }

  private own(entry: Entry): GPUBuffer {
    entry.isFree = false;
    this.numBytesUsed += entry.bytes;
    this.tracked?.add(entry.buffer);
    return entry.buffer;
  }

  /** @throws PupilError for more than the device has in one buffer */
  private sizeFor(wanted: number): number {
    const { maxBufferSize } = this.device.limits;
    if (wanted <= maxBufferSize) return Math.min(sizeClass(wanted), maxBufferSize);
    throw new PupilError(
      `A tensor of ${sizeInWords(wanted)} is larger than a buffer of this GPU, ${sizeInWords(maxBufferSize)}.`,
      {
        remedy:
          "Use smaller micro-batches (trainer.gradientAccumulationSteps) or shorter sequences.",
      },
    );
  }

  private listOf(bytes: number, usage: GPUBufferUsageFlags): Entry[] {
    const key = `${bytes} ${usage}`;
    const list = this.free.get(key) ?? [];
    this.free.set(key, list);
    return list;
  }
}
