import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { PupilError } from "../../errors/index.js";
import {
  checkRowBytes,
  decodeRow,
  decodeShardTable,
  hiddenStateLayout,
  type HiddenStatesRecording,
  logProbLayout,
  type LogProbsManifest,
  parseRecordingManifest,
  type PositionLayout,
  type Recording,
  type RecordedPosition,
  type RecordedRow,
  type RecordingManifest,
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
 * Opens a recording of log-probabilities to read its rows one by one: in memory there is only where each
 * row lies, about 150 bytes a row.
 *
 * @throws PupilError for a recording that is not complete, of hidden states, of another format, or
 *   damaged
 */
export async function openRecording(folder: string): Promise<Recording> {
  const manifest = await readManifest(folder);
  if (manifest.tokens === "hidden-states") {
    throw new PupilError("The recording is of hidden states, not of log-probabilities.", {
      field: folder,
      remedy: `Use a teacher of type hidden-states: { "type": "hidden-states", "from": "${folder}" }.`,
    });
  }
  return openRows(folder, manifest, logProbLayout(manifest), checkedLogProbs);
}

/**
 * The same of a recording of hidden states.
 *
 * @throws PupilError as {@link openRecording}
 */
export async function openHiddenStates(folder: string): Promise<HiddenStatesRecording> {
  const manifest = await readManifest(folder);
  if (manifest.tokens !== "hidden-states") {
    throw new PupilError("The recording is of log-probabilities, not of hidden states.", {
      field: folder,
      remedy:
        "Use a teacher of type recorded, or record again with pupil record-teacher store=hidden-states.",
    });
  }
  return openRows(folder, manifest, hiddenStateLayout(manifest), checkedStates);
}

type Fail = (how: string) => never;

async function openRows<P, M extends RecordingManifest>(
  folder: string,
  manifest: M,
  layout: PositionLayout<P>,
  check: (positions: readonly P[], manifest: M, fail: Fail) => void,
): Promise<Recording<P, M>> {
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
      const rows: RecordedRow<P>[] = [];
      for (const shard of new Set(places.map((place) => place.shard))) {
        const path = paths[shard] as string;
        await withFile(path, async (file) => {
          for (const { entry, i } of places.filter((place) => place.shard === shard)) {
            const bytes = await readBytesAt(file, entry.offset, entry.length);
            checkRowBytes(bytes, entry, path);
            const row = decodeRow(bytes, layout);
            const fail = failOf(path);
            if (!row.ids.every((id) => id < manifest.vocabSize)) {
              fail(`ids that are not below ${manifest.vocabSize}`);
            }
            check(row.positions, manifest, fail);
            rows[i] = row;
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

function failOf(path: string): Fail {
  return (how) => {
    throw new PupilError(`The shard holds a row with ${how}.`, {
      field: path,
      remedy: recordAgain,
    });
  };
}

/** Checksums tell what was changed since it was written; this, whether it can be right at all. */
function checkedLogProbs(
  positions: readonly RecordedPosition[],
  { vocabSize }: LogProbsManifest,
  fail: Fail,
): void {
  for (const { ids, logProbs, tokenLogProb, logTail, logNormalizer } of positions) {
    if (!Array.from(ids).every((id) => id < vocabSize)) fail(`ids that are not below ${vocabSize}`);
    // Rounding may put a certain token a little above 0.
    const wrong = [tokenLogProb, logTail, ...Array.from(logProbs)].find(
      (value) => !(value <= 1e-2),
    );
    if (wrong !== undefined) fail(`${wrong} as a log-probability`);
    if (!Number.isFinite(logNormalizer)) fail(`${logNormalizer} as the normalizer of its draws`);
  }
}

function checkedStates(states: readonly Float32Array[], _manifest: unknown, fail: Fail): void {
  for (const state of states) {
    const wrong = state.find((value) => !Number.isFinite(value));
    if (wrong !== undefined) fail(`${wrong} in a hidden state`);
  }
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
