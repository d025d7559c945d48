import { learnedPositions, type TokenSequence } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import type { Teacher } from "../teacher.js";
import type { HiddenStatesManifest, LogProbsManifest } from "./manifest.js";
import type { RecordedPosition, RecordedRow } from "./row-codec.js";
import { rowKey } from "./row-key.js";

/** Access to the rows of a recording, wherever they lie. */
export interface Recording<P = RecordedPosition, M = LogProbsManifest> {
  /** How messages call it, such as its folder. */
  readonly name: string;
  readonly manifest: M;
  has(key: string): boolean;
  /** The rows under these keys, in their order; all of them are there. */
  read(keys: readonly string[]): Promise<RecordedRow<P>[]>;
}

/** A recording of hidden states. */
export type HiddenStatesRecording = Recording<Float32Array, HiddenStatesManifest>;

/** The rows that a recording has, as its teacher knows them. */
export interface KnownRows<P>
  extends Required<Pick<Teacher, "scoresOnly" | "knows" | "remedyForUnknownRows">> {
  /** @throws PupilError for rows that were not recorded */
  read(sequences: readonly TokenSequence[]): Promise<RecordedRow<P>[]>;
}

export function knownRows<P, M>(recording: Recording<P, M>): KnownRows<P> {
  const { name } = recording;
  const remedyForUnknownRows =
    "It was made from other data, another tokenizer, other learned positions or fewer rows: record this run's rows with pupil record-teacher.";
  const knows = (row: TokenSequence) => recording.has(rowKey(row));
  return {
    ...{ scoresOnly: "the rows that were recorded", knows, remedyForUnknownRows },
    async read(sequences) {
      const unknown = sequences.filter((sequence) => !knows(sequence));
      if (unknown.length > 0) {
        const first = unknown[0]?.id ?? "a row without a name";
        throw new PupilError(
          `"${name}" does not have ${first}: ${unknown.length} of the ${sequences.length} rows of the batch were not recorded.`,
          { field: "teacher", value: first, remedy: remedyForUnknownRows },
        );
      }
      const rows = await recording.read(sequences.map(rowKey));
      for (const [i, sequence] of sequences.entries()) {
        requireThisRow(sequence, rows[i] as RecordedRow<P>);
      }
      return rows;
    },
  };
}

function requireThisRow(sequence: TokenSequence, row: RecordedRow<unknown>): void {
  const isThisRow =
    row.ids.length === sequence.ids.length && row.ids.every((id, i) => id === sequence.ids[i]);
  if (isThisRow && learnedPositions(sequence).length === row.positions.length) return;
  throw new Error(`Two different rows have the key ${rowKey(sequence)}.`);
}
