import { learnedPositions, type TokenSequence } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import { hostScores } from "../score-source.js";
import { placeScores, type SequenceScores } from "../sequence-scores.js";
import type { Teacher, TeacherSignal } from "../teacher.js";
import type { LogProbsManifest } from "./manifest.js";
import { knownRows, type Recording } from "./recording.js";
import type { RecordedPosition, RecordedRow } from "./row-codec.js";

/**
 * A teacher whose answers were stored before: the K likeliest tokens or draws at every learned
 * position of the recorded rows, the log-probability of the row's own token, and the tail mass. It
 * knows exactly these rows, by their ids.
 *
 * The likeliest tokens' log-probabilities, rounded when they were stored, are shifted by one constant
 * per position so that they and the stored tail mass add up to 1 again: a tail of 1 − Σ is then as
 * good as it was before the rounding.
 *
 * @param vocabSize of the student, where it has fewer or more rows of padding than the recorded teacher
 */
export function recordedTeacher(
  recording: Recording,
  vocabSize = recording.manifest.vocabSize,
): Teacher {
  const { name, manifest } = recording;
  const { k, maxPositions, tokens, sampleTemperature } = manifest;
  const provides: TeacherSignal[] = [
    "teacherTokenLogProbs",
    "teacherTokenIds",
    "teacherTopLogProbs",
    ...(tokens === "draws" ? (["teacherSampleLogProbs"] as const) : []),
  ];
  const { read: readRows, ...known } = knownRows(recording);
  const dispose = () => undefined;
  return {
    name,
    vocabSize,
    ...(maxPositions === null ? {} : { maxPositions }),
    provides,
    ...(tokens === "draws" ? { sampleTemperature } : {}),
    ...known,
    async score(batch) {
      const { sequences } = batch;
      const rows = await readRows(sequences);
      checkIds(rows, vocabSize, name);
      const scores = sequences.map((sequence, i) =>
        sequenceScores(sequence, rows[i] as RecordedRow, manifest),
      );
      return hostScores(() => placeScores(batch, scores, k));
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}

/** A stored id that the student has no row for could be trained on as another. */
function checkIds(rows: readonly RecordedRow[], vocabSize: number, name: string): void {
  for (const { positions } of rows) {
    for (const { ids } of positions) {
      const id = Array.from(ids).find((given) => given >= vocabSize);
      if (id === undefined) continue;
      throw new PupilError(`"${name}" names the id ${id}, the student has ${vocabSize} rows.`, {
        field: "teacher",
        value: id,
        remedy: "It is one of the teacher's rows of padding: record with a smaller topK.",
      });
    }
  }
}

/** A row's stored positions where `placeScores` wants them; neutral numbers elsewhere. */
function sequenceScores(
  sequence: TokenSequence,
  row: RecordedRow,
  { k, tokens, sampleTemperature }: LogProbsManifest,
): SequenceScores {
  const learned = learnedPositions(sequence);
  const size = sequence.ids.length - 1;
  const tokenLogProbs = new Float32Array(size);
  const tokenIds = Int32Array.from({ length: size * k }, (_, i) => i % k);
  const topLogProbs = new Float32Array(size * k).fill(-100);
  const sampleLogProbs = new Float32Array(size * k).fill(-100);
  for (const [i, position] of row.positions.entries()) {
    const at = (learned[i] as number) - 1;
    const logProbs = tokens === "likeliest" ? withTail(position) : position.logProbs;
    tokenLogProbs[at] = position.tokenLogProb;
    tokenIds.set(position.ids, at * k);
    topLogProbs.set(logProbs, at * k);
    for (let j = 0; j < k; j++) {
      sampleLogProbs[at * k + j] =
        (logProbs[j] as number) / sampleTemperature - position.logNormalizer;
    }
  }
  const lists = { tokenLogProbs, tokenIds, topLogProbs };
  return tokens === "likeliest" ? lists : { ...lists, sampleLogProbs };
}

/** Log-probabilities shifted so that their mass is 1 − tail. */
function withTail({ logProbs, logTail }: RecordedPosition): number[] {
  const values = Array.from(logProbs);
  const inside = values.reduce((sum, value) => sum + Math.exp(value), 0);
  const wanted = -Math.expm1(logTail);
  // Where nearly all mass is in the tail there is nothing to gain, and the quotient could be wild.
  if (!(wanted > 0 && inside > 0)) return values;
  const shift = Math.log(wanted / inside);
  return Math.abs(shift) > 0.01 ? values : values.map((value) => value + shift);
}
