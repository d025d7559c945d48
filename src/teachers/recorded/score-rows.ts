import * as tf from "@tensorflow/tfjs-core";
import { type Batch, learnedPositions, makeBatch, type TokenSequence } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import { disposeAll, Random, readValues } from "../../tensors/index.js";
import type { Teacher, TeacherScores, TeacherSignal, TeacherTensors } from "../teacher.js";
import type { RecordedPosition, RecordedRow } from "./row-codec.js";

/** Smallest tail mass that is stored, as that of `sparseKl`: float32 knows 1 − Σ no better. */
const smallestTail = 1e-7;

/** What a teacher says of a batch, on the host, `[B, T]` or `[B, T, K]` in row-major order. */
interface HostScores {
  readonly k: number;
  readonly tokenLogProbs: Float32Array;
  readonly tokenIds: Int32Array;
  readonly topLogProbs: Float32Array;
  readonly sampleLogProbs: Float32Array | undefined;
}

/**
 * Asks a teacher about rows and keeps what it says of their learned positions, for a recording. Draws
 * are those of (random, first + index in rows), whatever rows are asked about together.
 *
 * @param first index of the first row among all rows of the recording
 * @throws PupilError if the teacher gives neither its likeliest tokens nor draws, or numbers that are
 *   no log-probabilities
 */
export async function scoreRows(
  teacher: Teacher,
  rows: readonly TokenSequence[],
  options: { readonly padId: number; readonly random: Random; readonly first: number },
): Promise<RecordedRow[]> {
  using batch = makeBatch(rows, options.padId);
  const context = { random: options.random, firstRow: options.first };
  const scores = await teacher.score(batch, recordedSignals(teacher), context);
  const host = await readScores(scores);
  return rows.map((row, index) => recordedRow(row, index, batch, host, teacher));
}

/** K, the number of tokens that a teacher gives per position. */
export async function tokensPerPosition(
  teacher: Teacher,
  row: TokenSequence,
  padId: number,
): Promise<number> {
  using batch = makeBatch([row], padId);
  const context = { random: new Random(0), firstRow: 0 };
  const scores = await teacher.score(batch, recordedSignals(teacher), context);
  return (await readScores(scores)).k;
}

/** Signals that a recording of a teacher is made of. */
export function recordedSignals({ name, provides, restrict }: Teacher): TeacherSignal[] {
  if (restrict !== undefined) {
    throw new PupilError(
      `The teacher "${name}" has a signal at some positions only, which a recording cannot say.`,
      { field: "teacher", remedy: "Record a teacher with the student's own tokenizer." },
    );
  }
  const needed: TeacherSignal[] = ["teacherTokenLogProbs", "teacherTokenIds", "teacherTopLogProbs"];
  const absent = needed.filter((signal) => !provides.includes(signal));
  if (absent.length > 0) {
    throw new PupilError(
      `A recording needs ${absent.join(", ")}, which the teacher "${name}" does not give.`,
      {
        field: "teacher",
        remedy:
          "Set teacher.topK (its likeliest tokens, for sparse-kl) or teacher.samples (draws, for sampled-kl).",
      },
    );
  }
  return provides.includes("teacherSampleLogProbs") ? [...needed, "teacherSampleLogProbs"] : needed;
}

async function readScores(scores: TeacherScores): Promise<HostScores> {
  // Clones, as two signals may be one tensor.
  let tensors: Partial<TeacherTensors>;
  try {
    tensors = tf.tidy(() => {
      const { layers: _layers, ...ofTokens } = scores.tensors();
      return Object.fromEntries(
        Object.entries(ofTokens).map(([name, tensor]) => [name, tensor.clone()]),
      );
    });
  } finally {
    scores.dispose?.();
  }
  const {
    teacherTokenLogProbs,
    teacherTokenIds,
    teacherTopLogProbs,
    teacherSampleLogProbs,
    ...others
  } = tensors;
  disposeAll(Object.values(others));
  if (!teacherTokenLogProbs || !teacherTokenIds || !teacherTopLogProbs) {
    disposeAll([teacherTokenLogProbs, teacherTokenIds, teacherTopLogProbs, teacherSampleLogProbs]);
    throw new Error("The teacher did not give the signals that it provides.");
  }
  const k = teacherTokenIds.shape[2];
  const [tokenLogProbs, tokenIds, topLogProbs, sampleLogProbs] = await Promise.all([
    readValues(teacherTokenLogProbs, "float32"),
    readValues(teacherTokenIds, "int32"),
    readValues(teacherTopLogProbs, "float32"),
    teacherSampleLogProbs && readValues(teacherSampleLogProbs, "float32"),
  ]);
  return { k, tokenLogProbs, tokenIds, topLogProbs, sampleLogProbs };
}

function recordedRow(
  row: TokenSequence,
  index: number,
  batch: Batch,
  scores: HostScores,
  teacher: Teacher,
): RecordedRow {
  const positions = learnedPositions(row).map((position) => {
    const at = index * batch.sequenceLength + position - 1;
    try {
      return recordedPosition(scores, at, teacher.sampleTemperature ?? 1);
    } catch (cause) {
      if (!(cause instanceof PupilError)) throw cause;
      throw new PupilError(`${cause.message} (token ${position} of the row)`, {
        field: row.id ?? `row ${index + 1} of the batch`,
        cause,
      });
    }
  });
  return { ids: row.ids, positions, ...(row.id === undefined ? {} : { id: row.id }) };
}

function recordedPosition(scores: HostScores, at: number, temperature: number): RecordedPosition {
  const { k } = scores;
  const ids = scores.tokenIds.slice(at * k, (at + 1) * k);
  const logProbs = scores.topLogProbs.slice(at * k, (at + 1) * k);
  const proposal = scores.sampleLogProbs?.slice(at * k, (at + 1) * k);
  const tokenLogProb = scores.tokenLogProbs[at] as number;
  for (const value of [tokenLogProb, ...logProbs]) {
    // Rounding may put a certain token a little above 0.
    if (Number.isNaN(value) || value > 1e-3) {
      throw new PupilError(`The teacher gave ${value}, which is no log-probability.`);
    }
  }
  // An id that was drawn twice holds its mass once.
  const mass = new Map(Array.from(ids, (id, i) => [id, Math.exp(logProbs[i] as number)]));
  const inside = [...mass.values()].reduce((sum, probability) => sum + probability, 0);
  const logTail = Math.log(Math.max(smallestTail, 1 - inside));
  const logNormalizer = proposal === undefined ? 0 : normalizerOf(logProbs, proposal, temperature);
  return { tokenLogProb, logTail, logNormalizer, ids, logProbs };
}

/** log Z of a proposal with log Q = log T / τ − log Z; all K draws must agree on it. */
function normalizerOf(logProbs: Float32Array, proposal: Float32Array, temperature: number): number {
  const values = Array.from(logProbs, (logProb, i) => {
    return logProb / temperature - (proposal[i] as number);
  });
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const isOne = values.every((value) => Math.abs(value - mean) <= 1e-3 * (1 + Math.abs(mean)));
  if (isOne) return mean;
  throw new PupilError(
    `The teacher's draws are not from its distribution at temperature ${temperature}, so they cannot be stored compactly.`,
  );
}
