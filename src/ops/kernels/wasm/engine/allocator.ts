/** A piece of the memory, free or in use. Neighbours in memory are linked, so that frees can merge. */
export interface Block {
  address: number;
  size: number;
  free: boolean;
  before: Block | undefined;
  after: Block | undefined;
  /** Neighbours in the list of free blocks of the same size class. */
  previous: Block | undefined;
  next: Block | undefined;
}

const UNIT = 64;
const CLASSES = 128;

/** Four classes per power of two: the class of the largest size that is not above `size`. */
function classOf(size: number): number {
  const units = size / UNIT;
  if (units < 4) return units;
  const log = 31 - Math.clz32(units);
  return 4 * log + ((units >>> (log - 2)) & 3) - 4;
}

/**
 * Two-level segregated fit (Masmano et al. 2004) over one growing range of addresses: constant time,
 * freed memory is reused at once (while it is still in the cache) and merges with its neighbours, so
 * batches of changing lengths do not hoard memory.
 */
export class Allocator {
  /** Bytes handed out now, and the most there ever were. */
  bytesInUse = 0;
  peakBytes = 0;
  private readonly lists: (Block | undefined)[] = new Array<undefined>(CLASSES).fill(undefined);
  private readonly occupied = new Uint8Array(CLASSES);
  private last: Block | undefined;
  private end: number;
  private readonly grow: (end: number) => void;

  /** `grow(end)` makes addresses below `end` usable, or throws. */
  constructor(start: number, grow: (end: number) => void) {
    this.end = Math.ceil(start / UNIT) * UNIT;
    this.grow = grow;
  }

  /** At least `bytes` bytes, at an address that is a multiple of 64. */
  allocate(bytes: number): Block {
    const size = Math.max(1, Math.ceil(bytes / UNIT)) * UNIT;
    const block = this.take(size) ?? this.extend(size);
    if (block.size > size) this.split(block, size);
    block.free = false;
    this.bytesInUse += block.size;
    if (this.bytesInUse > this.peakBytes) this.peakBytes = this.bytesInUse;
    return block;
  }

  release(block: Block): void {
    this.bytesInUse -= block.size;
    let merged = block;
    const { before, after } = block;
    if (before?.free) {
      this.unlist(before);
      merged = this.merge(before, block);
    }
    if (after?.free) {
      this.unlist(after);
      merged = this.merge(merged, after);
    }
    this.list(merged);
  }

  private take(size: number): Block | undefined {
    let index = classOf(size);
    // The blocks of a size's own class may be smaller; a look at its first one finds exact reuse.
    const first = this.lists[index];
    if (first !== undefined && first.size >= size) {
      this.unlist(first);
      return first;
    }
    while (++index < CLASSES) {
      if (this.occupied[index] === 0) continue;
      const block = this.lists[index] as Block;
      this.unlist(block);
      return block;
    }
    return undefined;
  }

  private extend(size: number): Block {
    const tail = this.last?.free ? this.last : undefined;
    const missing = size - (tail?.size ?? 0);
    this.grow(this.end + missing);
    if (tail !== undefined) {
      this.unlist(tail);
      tail.size = size;
      this.end += missing;
      return tail;
    }
    const links = { after: undefined, previous: undefined, next: undefined };
    const block: Block = { address: this.end, size, free: true, before: this.last, ...links };
    if (this.last) this.last.after = block;
    this.last = block;
    this.end += size;
    return block;
  }

  private split(block: Block, size: number): void {
    const rest: Block = {
      address: block.address + size,
      size: block.size - size,
      free: true,
      before: block,
      after: block.after,
      previous: undefined,
      next: undefined,
    };
    if (block.after) block.after.before = rest;
    else this.last = rest;
    block.after = rest;
    block.size = size;
    this.list(rest);
  }

  private merge(left: Block, right: Block): Block {
    left.size += right.size;
    left.after = right.after;
    if (right.after) right.after.before = left;
    else this.last = left;
    // Whoever still holds it would else hold every block that was ever after it.
    right.before = undefined;
    right.after = undefined;
    return left;
  }

  private list(block: Block): void {
    const index = classOf(block.size);
    block.free = true;
    block.previous = undefined;
    block.next = this.lists[index];
    if (block.next) block.next.previous = block;
    this.lists[index] = block;
    this.occupied[index] = 1;
  }

  private unlist(block: Block): void {
    const index = classOf(block.size);
    if (block.previous) block.previous.next = block.next;
    else this.lists[index] = block.next;
    if (block.next) block.next.previous = block.previous;
    if (this.lists[index] === undefined) this.occupied[index] = 0;
    block.free = false;
  }
}
