import type { TokenWords } from "./token-words.js";

/** A temporary file for tokens that are too many for memory. */
export interface SpillFile {
  append(bytes: Uint8Array): Promise<void>;
  read(position: number, byteLength: number): Promise<Uint8Array<ArrayBuffer>>;
  dispose(): void;
}

export interface TokenStoreOptions {
  /** Bytes per number: 2 where every one is below 65536, else 4. */
  readonly bytesPerWord: 2 | 4;
  /** Bytes to keep in memory; what comes after goes to the spill file. Default: no limit. */
  readonly memoryLimitBytes?: number;
  /** Makes the spill file when it is needed; without it everything stays in memory. */
  readonly createSpillFile?: (() => Promise<SpillFile>) | undefined;
  /** Numbers per chunk. Default: 65536. */
  readonly chunkLength?: number;
}

/**
 * An endless array of token ids in chunks: the first ones in memory, those beyond the limit in a
 * temporary file from which they are read back on demand. Owns that file.
 */
export class TokenStore implements Disposable {
  private readonly options: TokenStoreOptions;
  private readonly chunkLength: number;
  /** Full chunks in memory; chunk i of the file is chunk `inMemory.length + i` of the store. */
  private readonly inMemory: TokenWords[] = [];
  private inFile = 0;
  private spill: SpillFile | undefined;
  private last: TokenWords;
  private used = 0;

  constructor(options: TokenStoreOptions) {
    this.options = options;
    this.chunkLength = options.chunkLength ?? 65536;
    this.last = this.newChunk();
  }

  /** Numbers stored. */
  get length(): number {
    return (this.inMemory.length + this.inFile) * this.chunkLength + this.used;
  }

  get memoryBytes(): number {
    return (this.inMemory.length + 1) * this.chunkLength * this.options.bytesPerWord;
  }

  get spilledBytes(): number {
    return this.inFile * this.chunkLength * this.options.bytesPerWord;
  }

  async append(words: ArrayLike<number>): Promise<void> {
    for (let from = 0; from < words.length; ) {
      const count = Math.min(words.length - from, this.chunkLength - this.used);
      for (let i = 0; i < count; i++) this.last[this.used + i] = words[from + i] as number;
      from += count;
      this.used += count;
      if (this.used === this.chunkLength) await this.seal();
    }
  }

  /** The numbers `start` to `start + count`: at once where they are in memory. */
  read(start: number, count: number): TokenWords | Promise<TokenWords> {
    if (!(start >= 0 && count >= 0 && start + count <= this.length)) {
      throw new Error(`TokenStore: ${start}+${count} is outside of 0..${this.length}.`);
    }
    const first = Math.floor(start / this.chunkLength);
    const last = Math.floor(Math.max(start, start + count - 1) / this.chunkLength);
    const isHere = (chunk: number) =>
      chunk < this.inMemory.length || chunk === this.inMemory.length + this.inFile;
    const from = start - first * this.chunkLength;
    if (first === last && isHere(first)) return this.chunk(first).subarray(from, from + count);
    return this.collect(start, count);
  }

  dispose(): void {
    this.spill?.dispose();
    this.spill = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private chunk(index: number): TokenWords {
    return this.inMemory[index] ?? this.last;
  }

  private newChunk(): TokenWords {
    const { bytesPerWord } = this.options;
    return bytesPerWord === 2
      ? new Uint16Array(this.chunkLength)
      : new Int32Array(this.chunkLength);
  }

  private async seal(): Promise<void> {
    const { memoryLimitBytes = Number.POSITIVE_INFINITY, createSpillFile } = this.options;
    const isFull = this.memoryBytes + this.last.byteLength > memoryLimitBytes;
    if (isFull && this.spill === undefined) this.spill = await createSpillFile?.();
    if (isFull && this.spill !== undefined) {
      await this.spill.append(new Uint8Array(this.last.buffer));
      this.inFile += 1;
    } else {
      this.inMemory.push(this.last);
      this.last = this.newChunk();
    }
    this.used = 0;
  }

  private async collect(start: number, count: number): Promise<TokenWords> {
    const { bytesPerWord } = this.options;
    const result = bytesPerWord === 2 ? new Uint16Array(count) : new Int32Array(count);
    const fileStart = this.inMemory.length * this.chunkLength;
    const fileEnd = fileStart + this.inFile * this.chunkLength;
    for (let at = start; at < start + count; ) {
      const isInFile = at >= fileStart && at < fileEnd;
      const chunk = Math.floor(at / this.chunkLength);
      // Of the file, everything at once; of memory, a chunk at a time.
      const border = isInFile ? fileEnd : (chunk + 1) * this.chunkLength;
      const end = Math.min(start + count, border);
      const offset = at - chunk * this.chunkLength;
      const part = isInFile
        ? await this.readFile(at - fileStart, end - at)
        : this.chunk(chunk).subarray(offset, offset + end - at);
      result.set(part, at - start);
      at = end;
    }
    return result;
  }

  private async readFile(start: number, count: number): Promise<TokenWords> {
    const { bytesPerWord } = this.options;
    if (this.spill === undefined) throw new Error("TokenStore: read after it was disposed.");
    const bytes = await this.spill.read(start * bytesPerWord, count * bytesPerWord);
    const { buffer, byteOffset } = bytes;
    return bytesPerWord === 2
      ? new Uint16Array(buffer, byteOffset, count)
      : new Int32Array(buffer, byteOffset, count);
  }
}
