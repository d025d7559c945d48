import { PupilError } from "../../errors/index.js";
import { crc32 } from "./crc32.js";
import { recordingVersion } from "./manifest.js";

/*
 * A shard, little-endian:
 *
 *     8 bytes   "PUPILREC"
 *     7 × 4     format version, rows, positions, first source row, source row after the last,
 *               rows left out as repeated, completions that were cut off
 *     4         CRC-32 of everything before the rows, with 0 in its own place
 *     20 × rows key (8 bytes, high word first), offset, length, CRC-32 of the row's bytes
 *     rows      as `encodeRow` writes them
 */
const magic = "PUPILREC";
const headerBytes = 8 + 8 * 4;
const crcOffset = headerBytes - 4;
const entryBytes = 20;

/** What of the source a shard covers. */
export interface ShardRange {
  /** Index of its first source row. */
  readonly start: number;
  /** Index after its last one. */
  readonly end: number;
  readonly repeated: number;
  readonly unfinished: number;
  readonly positions: number;
}

export interface ShardRow {
  /** See `rowKey`. */
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** Where a row lies in its shard. */
export interface ShardEntry {
  readonly key: string;
  readonly offset: number;
  readonly length: number;
  readonly crc: number;
}

export interface ShardTable extends ShardRange {
  readonly entries: readonly ShardEntry[];
  /** Bytes of the whole shard. */
  readonly size: number;
}

export function encodeShard(rows: readonly ShardRow[], range: ShardRange): Uint8Array {
  const tableEnd = headerBytes + rows.length * entryBytes;
  const size = rows.reduce((sum, { bytes }) => sum + bytes.length, tableEnd);
  const shard = new Uint8Array(size);
  const view = new DataView(shard.buffer);
  shard.set(new TextEncoder().encode(magic));
  const { positions, start, end, repeated, unfinished } = range;
  const header = [recordingVersion, rows.length, positions, start, end, repeated, unfinished];
  for (const [i, word] of header.entries()) view.setUint32(8 + 4 * i, word, true);
  let offset = tableEnd;
  for (const [i, { key, bytes }] of rows.entries()) {
    const words = [
      Number.parseInt(key.slice(0, 8), 16),
      Number.parseInt(key.slice(8), 16),
      offset,
      bytes.length,
      crc32(bytes),
    ];
    for (const [j, word] of words.entries()) {
      view.setUint32(headerBytes + i * entryBytes + 4 * j, word, true);
    }
    shard.set(bytes, offset);
    offset += bytes.length;
  }
  view.setUint32(crcOffset, crc32(shard.subarray(0, tableEnd)), true);
  return shard;
}

/** Bytes to read before the length of the table is known. */
export const shardHeaderBytes = headerBytes;

/**
 * Bytes of header and table of a shard that begins with these.
 *
 * @throws PupilError if it is no shard, or its file is too short for its table
 */
export function shardTableBytes(header: Uint8Array, fileSize: number, path: string): number {
  const isShard =
    header.length >= headerBytes && new TextDecoder().decode(header.subarray(0, 8)) === magic;
  if (!isShard) throw damaged(path, "its beginning is not that of a shard");
  const view = new DataView(header.buffer, header.byteOffset);
  const version = view.getUint32(8, true);
  if (version !== recordingVersion) {
    throw damaged(path, `it has format version ${version}, not ${recordingVersion}`);
  }
  const rows = view.getUint32(12, true);
  const tableEnd = headerBytes + rows * entryBytes;
  if (tableEnd <= fileSize) return tableEnd;
  throw damaged(path, `its ${fileSize} bytes have no room for a table of ${rows} rows`);
}

/**
 * Reads header and table of a shard.
 *
 * @param bytes the first {@link shardTableBytes} of the file, or more
 * @param fileSize bytes of the whole file
 * @throws PupilError if they were changed or the file is shorter or longer than it should be
 */
export function decodeShardTable(bytes: Uint8Array, fileSize: number, path: string): ShardTable {
  const tableEnd = shardTableBytes(bytes, fileSize, path);
  if (bytes.length < tableEnd) throw damaged(path, "it ends within its table of rows");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  // A copy also of a Node Buffer, whose slice is none.
  const head = new Uint8Array(bytes.subarray(0, tableEnd));
  new DataView(head.buffer).setUint32(crcOffset, 0, true);
  if (crc32(head) !== view.getUint32(crcOffset, true)) {
    throw damaged(path, "its table of rows does not match its checksum");
  }
  const [rows = 0, positions = 0, start = 0, end = 0, repeated = 0, unfinished = 0] = Array.from(
    { length: 6 },
    (_, i) => view.getUint32(12 + 4 * i, true),
  );
  const entries = Array.from({ length: rows }, (_, i): ShardEntry => {
    const word = (j: number) => view.getUint32(headerBytes + i * entryBytes + 4 * j, true);
    const hex = (j: number) => word(j).toString(16).padStart(8, "0");
    return { key: hex(0) + hex(1), offset: word(2), length: word(3), crc: word(4) };
  });
  let size = tableEnd;
  for (const { offset, length } of entries) {
    if (offset !== size) throw damaged(path, `a row begins at byte ${offset}, not at ${size}`);
    size += length;
  }
  if (size !== fileSize) throw damaged(path, `it has ${fileSize} bytes in place of ${size}`);
  return { entries, size, start, end, repeated, unfinished, positions };
}

/** @throws PupilError if the bytes of a row are not those that were written */
export function checkRowBytes(bytes: Uint8Array, entry: ShardEntry, path: string): void {
  if (bytes.length === entry.length && crc32(bytes) === entry.crc) return;
  throw damaged(path, `the row at byte ${entry.offset} does not match its checksum`);
}

function damaged(path: string, how: string): PupilError {
  return new PupilError(`The shard is damaged: ${how}.`, {
    field: path,
    remedy:
      "Restore the file, or run pupil record-teacher again with the same options: it replaces damaged shards.",
  });
}
