import { join } from "node:path";
import { type RecordOptions, roomNotes, type RunConfig } from "../../config/index.js";
import type { TokenSequence } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import {
  encodeShard,
  type RecordingManifest,
  rowKey,
  type ShardRow,
  type ShardTable,
} from "../../teachers/index.js";
import { assembleModels, owning } from "../runs/models/assemble-models.js";
import { loadOwnComponents } from "../modules/own-components.js";
import { writeFileAtomic } from "../files/atomic.js";
import { describeRecording } from "./describe-recording.js";
import { verifyShard } from "./open-recording.js";
import { sizeNotes, storeOf, writeHead } from "./record-rows.js";
import { recordSource, type SourceRow } from "./record-source.js";
import {
  joinTexts,
  manifestOf,
  prepareFolder,
  shardName,
  textPath,
  wholeShards,
  writeManifest,
} from "./recording-folder.js";

/** What happens in a recording, in order. */
export type RecordEvent =
  | { readonly type: "started"; readonly notes: readonly string[]; readonly rows: number }
  | {
      readonly type: "shard";
      readonly file: string;
      /** Whether it was there before. */
      readonly kept: boolean;
      readonly sourceRows: number;
    }
  | { readonly type: "finished"; readonly manifest: RecordingManifest };

/**
 * Stores what a config's teacher says about its rows: files of `shardRows` source rows each, a
 * manifest, the tokenizer. Every file is written complete or not at all, and what it holds depends
 * on config, options and its number alone: an interrupted recording that is started again keeps the
 * files that are whole and makes the others. Needs a started backend.
 *
 * @throws PupilError if the folder holds something else, or the teacher cannot be recorded
 */
export async function* recordTeacher(
  config: RunConfig,
  options: RecordOptions,
): AsyncGenerator<RecordEvent> {
  const components = await loadOwnComponents(config);
  using models = await owning((own) =>
    assembleModels(config, { loss: [], components, trains: false }, own),
  );
  const { teacher, loadedTeacher, tokenizer, data } = models;
  if (teacher === undefined || loadedTeacher === undefined) {
    throw new PupilError("Recording needs a teacher.", {
      field: "teacher",
      remedy: 'Add "teacher": { "from": "<model folder>", "topK": 50 }.',
    });
  }
  const [firstRow] = (await data.training.rows(0, config.trainer.batchSize)) as [TokenSequence];
  const description = await describeRecording(config, options, {
    teacher,
    loadedTeacher,
    tokenizer,
    row: firstRow,
  });
  const random = models.random.stream("record");
  const newTokens = options.maxNewTokens ?? data.maxNewTokens;
  const source = recordSource(config, options, { data, tokenizer, teacher, random });
  const store = storeOf(description, { teacher, padId: tokenizer.padId, random });
  await prepareFolder(options.output, description, tokenizer);
  await writeHead(options.output, description, { teacher, tokenizer, row: firstRow });
  yield {
    type: "started",
    notes: [
      ...data.notes,
      ...loadedTeacher.notes,
      ...(options.generate ? roomNotes(teacher.maxPositions ?? Infinity, data, newTokens) : []),
      ...sizeNotes(description),
    ],
    rows: source.size,
  };

  const count = Math.ceil(source.size / options.shardRows);
  const whole = await wholeShards(options, count);
  const known = new Set([...whole.values()].flatMap(({ entries }) => entries.map((e) => e.key)));
  const tables: ShardTable[] = [];
  for (let index = 0; index < count; index++) {
    const path = join(options.output, shardName(index));
    const kept = whole.get(index);
    if (kept === undefined) {
      const start = index * options.shardRows;
      const end = Math.min(source.size, start + options.shardRows);
      const { bytes, written } = await makeShard(start, end);
      // The text first: a shard that exists says that its text does too.
      if (options.generate) await writeFileAtomic(textPath(options.output, index), written);
      await writeFileAtomic(path, bytes);
    }
    const table = kept ?? (await verifyShard(path));
    tables.push(table);
    yield {
      type: "shard",
      file: shardName(index),
      kept: kept !== undefined,
      sourceRows: table.end,
    };
  }
  if (options.generate) await joinTexts(options.output, count);
  const manifest = manifestOf(description, tables, true);
  if (manifest.counts.rows === 0) {
    throw new PupilError(
      options.generate
        ? "Nothing was recorded: the teacher wrote no text for any prompt."
        : "Nothing was recorded: the rows have no completions.",
      {
        field: "generate",
        value: options.generate,
        remedy: options.generate
          ? "Let it write more tokens (maxNewTokens), or record the data's own rows."
          : "Set generate=true to let the teacher write them.",
      },
    );
  }
  await writeManifest(options.output, manifest);
  yield { type: "finished", manifest };

  /** A function of the source, and of the keys of the shards before. */
  async function makeShard(start: number, end: number) {
    const rows: ShardRow[] = [];
    const texts: string[] = [];
    const counts = { positions: 0, repeated: 0, unfinished: 0 };
    for (let at = start; at < end; at += options.batchSize) {
      const part = await source.rows(at, Math.min(end, at + options.batchSize));
      const fresh = freshRows(part, known, counts);
      for (const { written } of part) {
        if (written !== undefined) texts.push(`${JSON.stringify(written)}\n`);
      }
      if (fresh.length === 0) continue;
      for (const [i, { positions, bytes }] of (await store(fresh, at)).entries()) {
        counts.positions += positions;
        rows.push({ key: rowKey(fresh[i] as TokenSequence), bytes });
      }
    }
    return { bytes: encodeShard(rows, { start, end, ...counts }), written: texts.join("") };
  }
}

/** Rows that are not stored yet, each once. */
function freshRows(
  part: readonly SourceRow[],
  known: Set<string>,
  counts: { repeated: number; unfinished: number },
): TokenSequence[] {
  return part.flatMap(({ row, written }) => {
    if (row === undefined || written?.finish_reason !== undefined) counts.unfinished += 1;
    if (row === undefined) return [];
    const key = rowKey(row);
    if (known.has(key)) {
      counts.repeated += 1;
      return [];
    }
    known.add(key);
    return [row];
  });
}
