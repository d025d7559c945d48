import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { PupilError } from "../../errors/index.js";
import {
  checkRowBytes,
  decodeRow,
  decodeShardTable,
  parseRecordingManifest,
  type Recording,
  type RecordedRow,
  type RecordingManifest,
  rowLayout,
  type ShardEntry,
  shardHeaderBytes,
  type ShardTable,
  shardTableBytes,
} from "../../teachers/index.js";
import { readJson } from "../files/read-files.js";

export const manifestName = "manifest.json";

export async function readManifest(folder: string): Promise<RecordingManifest> {
  const path = join(folder, manifestName);
  return parseRecordingManifest(await readJson(path, "manifest of the recording"), path);
}

/**
 * Opens a recording to read its rows one by one: in memory there is only where each row lies, about
 * 150 bytes a row.
 *
 * @throws PupilError for a recording that is not complete, of another format, or damaged
 */
export async function openRecording(folder: string): Promise<Recording> {
  const manifest = await readManifest(folder);
  if (!manifest.complete) {
    throw new PupilError("The recording was interrupted before it was complete.", {
      field: folder,
      remedy: "Run the same pupil record-teacher command again: it continues where it stopped.",
    });
  }
  const index = new Map<string, { readonly shard: number; readonly entry: ShardEntry }>();
  const paths = manifest.shards.map(({ file }) => join(folder, file));
  for (const [shard, path] of paths.entries()) {
    const table = await readShardTable(path);
    if (table.entries.length !== manifest.shards[shard]?.rows) {
      throw new PupilError("The shard is not the one that the manifest lists.", {
        field: path,
        remedy: "Restore the file, or record again with pupil record-teacher.",
      });
    }
    for (const entry of table.entries) index.set(entry.key, { shard, entry });
  }
  const layout = rowLayout(manifest);
  return {
    name: folder,
    manifest,
    has: (key) => index.has(key),
    async read(keys) {
      const places = keys.map((key, i) => {
        const place = index.get(key);
        if (place === undefined) throw new Error(`No row ${key} in ${folder}.`);
        return { ...place, i };
      });
      const rows: RecordedRow[] = [];
      for (const shard of new Set(places.map((place) => place.shard))) {
        const path = paths[shard] as string;
        await withFile(path, async (file) => {
          for (const { entry, i } of places.filter((place) => place.shard === shard)) {
            const bytes = await readBytesAt(file, entry.offset, entry.length);
            checkRowBytes(bytes, entry, path);
            rows[i] = decodeRow(bytes, layout);
          }
        });
      }
      return rows;
    },
  };
}

/** Header and table of a shard, without its rows. */
export function readShardTable(path: string): Promise<ShardTable> {
  return withFile(path, async (file) => {
    const { size } = await file.stat();
    const header = await readBytesAt(file, 0, shardHeaderBytes);
    const bytes = await readBytesAt(file, 0, shardTableBytes(header, path));
    return decodeShardTable(bytes, size, path);
  });
}

/** Reads every row of a shard once to find damage; its table otherwise. */
export function verifyShard(path: string): Promise<ShardTable> {
  return withFile(path, async (file) => {
    const table = await readShardTable(path);
    for (const entry of table.entries) {
      checkRowBytes(await readBytesAt(file, entry.offset, entry.length), entry, path);
    }
    return table;
  });
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, "r").catch((cause: unknown) => {
    throw new PupilError("A shard of the recording cannot be opened.", {
      field: path,
      remedy:
        "Restore the file, or run pupil record-teacher again with the same options: it replaces missing shards.",
      cause,
    });
  });
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** What is there of `length` bytes from `offset` on. */
async function readBytesAt(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, offset + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return bytes.subarray(0, read);
}
