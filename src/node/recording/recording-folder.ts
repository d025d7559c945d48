import { createReadStream, createWriteStream } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { RecordOptions } from "../../config/index.js";
import type { Tokenizer } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import type { RecordingDescription, RecordingManifest, ShardTable } from "../../teachers/index.js";
import { makeFolder, unfinishedPrefix, writeFileAtomic } from "../files/atomic.js";
import { differences } from "../runs/folder/differences.js";
import { exists } from "../files/file-exists.js";
import { manifestName, readManifest, verifyShard } from "./open-recording.js";

export const shardName = (index: number) => `shard-${String(index).padStart(5, "0")}.bin`;
export const textPath = (folder: string, index: number) =>
  join(folder, shardName(index).replace(".bin", ".jsonl"));

/** Makes the folder with an incomplete manifest, or checks that it is of the same recording. */
export async function prepareFolder(
  folder: string,
  description: RecordingDescription,
  tokenizer: Tokenizer,
): Promise<void> {
  const names = await readdir(folder).catch(() => [] as string[]);
  if (names.includes(manifestName)) {
    const {
      complete: _complete,
      shards: _shards,
      counts: _counts,
      ...there
    } = await readManifest(folder);
    // As JSON: what is undefined here is absent there.
    const here = JSON.parse(JSON.stringify(description)) as unknown;
    const changed = differences(there, here);
    if (changed.length === 0) return;
    throw new PupilError(`The folder holds another recording: ${changed.join(", ")} differ.`, {
      field: "output",
      value: folder,
      remedy: "Choose another folder, delete this one, or use the options that it began with.",
    });
  }
  if (names.some((name) => !name.startsWith("."))) {
    throw new PupilError("The folder is not empty and holds no recording.", {
      field: "output",
      value: folder,
      remedy: "Choose a new folder.",
    });
  }
  await makeFolder(folder);
  const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`;
  await writeFileAtomic(join(folder, "tokenizer.json"), json(tokenizer.toJson()));
  await writeFileAtomic(join(folder, "tokenizer_config.json"), json(tokenizer.toConfigJson()));
  await writeManifest(folder, manifestOf(description, [], false));
}

export function writeManifest(folder: string, manifest: RecordingManifest): Promise<void> {
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  return writeFileAtomic(join(folder, manifestName), text);
}

export function manifestOf(
  description: RecordingDescription,
  tables: readonly ShardTable[],
  complete: boolean,
): RecordingManifest {
  const sum = (measure: (table: ShardTable) => number) =>
    tables.reduce((total, table) => total + measure(table), 0);
  return {
    ...description,
    complete,
    shards: tables.map(({ size, entries }, index) => {
      return { file: shardName(index), bytes: size, rows: entries.length };
    }),
    counts: {
      sourceRows: tables.at(-1)?.end ?? 0,
      rows: sum(({ entries }) => entries.length),
      tokens: sum(({ positions }) => positions),
      repeated: sum(({ repeated }) => repeated),
      unfinished: sum(({ unfinished }) => unfinished),
    },
  };
}

/** Shards of an earlier attempt in which every byte is right, by number. */
export async function wholeShards(
  { output, generate }: RecordOptions,
  count: number,
): Promise<Map<number, ShardTable>> {
  const names = new Set(await readdir(output));
  const shards = new Map<number, ShardTable>();
  for (let index = 0; index < count; index++) {
    const hasText =
      names.has("rows.jsonl") || names.has(shardName(index).replace(".bin", ".jsonl"));
    if (!names.has(shardName(index)) || (generate && !hasText)) continue;
    const table = await verifyShard(join(output, shardName(index))).catch((error: unknown) => {
      if (error instanceof PupilError) return undefined;
      throw error;
    });
    if (table !== undefined) shards.set(index, table);
  }
  return shards;
}

/** Makes `rows.jsonl` of the texts of all shards. */
export async function joinTexts(folder: string, count: number): Promise<void> {
  const path = join(folder, "rows.jsonl");
  const texts = Array.from({ length: count }, (_, index) => textPath(folder, index));
  if (!(await exists(path))) {
    const temporary = join(folder, `${unfinishedPrefix}rows.jsonl`);
    await rm(temporary, { force: true });
    for (const text of texts) {
      await pipeline(createReadStream(text), createWriteStream(temporary, { flags: "a" }));
    }
    await rename(temporary, path);
  }
  for (const text of texts) await rm(text, { force: true });
}
