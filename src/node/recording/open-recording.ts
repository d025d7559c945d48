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
  let positions = 0;
  const paths = manifest.shards.map(({ file }) => join(folder, file));
  for (const [shard, path] of paths.entries()) {
    const table = await readShardTable(path);
    if (table.entries.length !== manifest.shards[shard]?.rows) {
      throw notListed(path, `${table.entries.length} rows`, `${manifest.shards[shard]?.rows}`);
    }
    if (table.size !== manifest.shards[shard]?.bytes) {
      throw notListed(path, `${table.size} bytes`, `${manifest.shards[shard]?.bytes}`);
    }
    for (const entry of table.entries) {
      const other = index.get(entry.key);
      if (other !== undefined) {
        throw new PupilError(`The row ${entry.key} is in ${paths[other.shard]} already.`, {
          field: path,
          remedy: recordAgain,
        });
      }
      index.set(entry.key, { shard, entry });
    }
    positions += table.positions;
  }
  checkCounts(manifest, { rows: index.size, tokens: positions }, folder);
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
            rows[i] = checkedRow(decodeRow(bytes, layout), manifest, path);
          }
        });
      }
      return rows;
    },
  };
}

const recordAgain = "Restore the file, or record again with pupil record-teacher.";

function notListed(path: string, has: string, listed: string): PupilError {
  const problem = `The shard is not the one that the manifest lists: it has ${has}, not ${listed}.`;
  return new PupilError(problem, { field: path, remedy: recordAgain });
}

/** The manifest's sums are those of its shards. */
function checkCounts(
  { counts }: RecordingManifest,
  found: { readonly rows: number; readonly tokens: number },
  folder: string,
): void {
  for (const name of ["rows", "tokens"] as const) {
    if (counts[name] === found[name]) continue;
    throw new PupilError(`counts ${counts[name]} ${name}, its shards have ${found[name]}.`, {
      field: `${join(folder, manifestName)}: counts.${name}`,
      value: counts[name],
      remedy: recordAgain,
    });
  }
}

/** Checksums tell what was changed since it was written; this, whether it can be right at all. */
function checkedRow(row: RecordedRow, { vocabSize }: RecordingManifest, path: string): RecordedRow {
  const fail = (how: string): never => {
    throw new PupilError(`The shard holds a row with ${how}.`, {
      field: path,
      remedy: recordAgain,
    });
  };
  const isId = (id: number) => id < vocabSize;
  if (!row.ids.every(isId)) fail(`ids that are not below ${vocabSize}`);
  for (const { ids, logProbs, tokenLogProb, logTail, logNormalizer } of row.positions) {
    if (!Array.from(ids).every(isId)) fail(`ids that are not below ${vocabSize}`);
    // Rounding may put a certain token a little above 0.
    const wrong = [tokenLogProb, logTail, ...Array.from(logProbs)].find(
      (value) => !(value <= 1e-2),
    );
    if (wrong !== undefined) fail(`${wrong} as a log-probability`);
    if (!Number.isFinite(logNormalizer)) fail(`${logNormalizer} as the normalizer of its draws`);
  }
  return row;
}

/** Header and table of a shard, without its rows. */
export function readShardTable(path: string): Promise<ShardTable> {
  return withFile(path, async (file) => {
    const { size } = await file.stat();
    const header = await readBytesAt(file, 0, shardHeaderBytes);
    const bytes = await readBytesAt(file, 0, shardTableBytes(header, size, path));
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
