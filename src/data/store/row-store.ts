import { mapRead } from "./map-read.js";
import { decodeRow, encodeRow, type StoredRow } from "./row-record.js";
import { TokenStore, type TokenStoreOptions } from "./token-store.js";

/** Rows by their number. Where the rows of a step all are in memory, they come without a promise. */
export interface RowSource {
  readonly length: number;
  rows(indices: readonly number[]): StoredRow[] | Promise<StoredRow[]>;
  /** Tokens of a row, without reading it. */
  lengthOf(index: number): number;
}

/** Tokenized rows in a token store; 12 bytes a row in memory beside it. Owns the store. */
export class RowStore implements RowSource, Disposable {
  private readonly words: TokenStore;
  private starts = new Float64Array(1024);
  private lengths = new Int32Array(1024);
  private count = 0;

  constructor(options: TokenStoreOptions) {
    this.words = new TokenStore(options);
  }

  get length(): number {
    return this.count;
  }

  get memoryBytes(): number {
    return this.words.memoryBytes + this.starts.byteLength + this.lengths.byteLength;
  }

  get spilledBytes(): number {
    return this.words.spilledBytes;
  }

  async append(row: StoredRow): Promise<void> {
    if (this.count === this.starts.length) this.grow();
    this.starts[this.count] = this.words.length;
    this.lengths[this.count] = row.ids.length;
    this.count += 1;
    await this.words.append(encodeRow(row));
  }

  lengthOf(index: number): number {
    this.check(index);
    return this.lengths[index] as number;
  }

  rows(indices: readonly number[]): StoredRow[] | Promise<StoredRow[]> {
    const records = indices.map((index) => {
      this.check(index);
      const start = this.starts[index] as number;
      const end = index + 1 < this.count ? (this.starts[index + 1] as number) : this.words.length;
      return this.words.read(start, end - start);
    });
    return mapRead(records, decodeRow);
  }

  /** The rows `start` to `end` as a source of their own. */
  slice(start: number, end = this.count): RowSource {
    return {
      length: end - start,
      rows: (indices) => this.rows(indices.map((index) => start + index)),
      lengthOf: (index) => this.lengthOf(start + index),
    };
  }

  dispose(): void {
    this.words.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private check(index: number): void {
    if (Number.isInteger(index) && index >= 0 && index < this.count) return;
    throw new Error(`RowStore: there is no row ${index} of ${this.count}.`);
  }

  private grow(): void {
    const starts = new Float64Array(2 * this.starts.length);
    const lengths = new Int32Array(2 * this.lengths.length);
    starts.set(this.starts);
    lengths.set(this.lengths);
    this.starts = starts;
    this.lengths = lengths;
  }
}
