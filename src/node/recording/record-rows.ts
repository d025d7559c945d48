import { join } from "node:path";
import type { Tokenizer, TokenSequence } from "../../data/index.js";
import {
  encodeRow,
  hiddenStateLayout,
  logProbLayout,
  readHiddenRows,
  readTeacherHead,
  type RecordedRow,
  type RecordingDescription,
  scoreRows,
  type Teacher,
} from "../../teachers/index.js";
import type { Random } from "../../tensors/index.js";
import { writeFileAtomic } from "../files/atomic.js";
import { encodeHead, hashOfHead, headFile } from "../models/model-head.js";

/** A row as its shard holds it, and how many positions it has. */
interface StoredRow {
  readonly bytes: Uint8Array;
  readonly positions: number;
}

/** Asks the teacher about rows, of which `first` is the index of the first among all. */
export type StoreRows = (rows: readonly TokenSequence[], first: number) => Promise<StoredRow[]>;

/** How the rows of a recording are made. */
export function storeOf(
  description: RecordingDescription,
  parts: { readonly teacher: Teacher; readonly padId: number; readonly random: Random },
): StoreRows {
  const { teacher, padId, random } = parts;
  const stored = <P>(
    rows: readonly RecordedRow<P>[],
    encode: (row: RecordedRow<P>) => Uint8Array,
  ) => rows.map((row) => ({ bytes: encode(row), positions: row.positions.length }));
  if (description.tokens === "hidden-states") {
    const layout = hiddenStateLayout(description);
    const { dtype } = description;
    return async (rows) =>
      stored(await readHiddenRows(teacher, rows, { padId, dtype }), (row) =>
        encodeRow(row, layout),
      );
  }
  const layout = logProbLayout(description);
  return async (rows, first) =>
    stored(await scoreRows(teacher, rows, { padId, random, first }), (row) =>
      encodeRow(row, layout),
    );
}

/** Writes the head beside the manifest of a recording that is to have it there. */
export async function writeHead(
  folder: string,
  description: RecordingDescription,
  parts: {
    readonly teacher: Teacher;
    readonly tokenizer: Tokenizer;
    readonly row: TokenSequence;
  },
): Promise<void> {
  if (description.tokens !== "hidden-states" || description.head.from !== null) return;
  const head = await readTeacherHead(parts.teacher, parts.row, parts.tokenizer.padId);
  if (hashOfHead(head) !== description.head.hash) throw new Error("The teacher's head changed.");
  await writeFileAtomic(join(folder, headFile), encodeHead(head));
}

/** What a recording of hidden states takes, where it is not a few bytes. */
export function sizeNotes(description: RecordingDescription): string[] {
  if (description.tokens !== "hidden-states") return [];
  const { hiddenSize, dtype, vocabSize, head } = description;
  const count = (n: number) => n.toLocaleString("en-US");
  const { bytesPerPosition } = hiddenStateLayout(description);
  const ofHead =
    head.from === null
      ? `stored beside them in ${headFile}: ${count(4 * hiddenSize * vocabSize)} bytes`
      : `read from ${head.from} when they are used`;
  return [
    `Hidden states of ${count(hiddenSize)} numbers in ${dtype}: ${count(bytesPerPosition)} bytes a position. Their head of ${count(vocabSize)} rows is ${ofHead}.`,
  ];
}
