import type { TokenSequence } from "../../data/index.js";
import { type RowChoice, rowChoices } from "../../rollouts/index.js";
import type { Teacher, TeacherScores } from "../../teachers/index.js";
import { HostValues, type Random } from "../../tensors/index.js";
import type { MicroBatch } from "../step/micro-batch.js";
import { splitIntoBatches, type StepBatches } from "../step/micro-batches.js";
import type { KnownRollouts } from "../step/rollout-inputs.js";
import type { ScoredBatches } from "../step/score-batches.js";
import { placeCompletions, type WrittenTokens } from "../step/written-tokens.js";
import type { ReinforcedRow } from "./rollout-batch.js";
import type { ReinforceSignals } from "./check-reinforce.js";

export interface ReinforceBatchOptions {
  readonly teacher: Teacher | undefined;
  /** Micro-batches. */
  readonly parts: number;
  readonly padId: number;
  readonly packing: boolean;
  /** See {@link splitIntoBatches}. */
  readonly mostPositions: number;
}

/** The completions of a step as batches, with only those tokens to learn that a teacher knows of. */
export function reinforceBatches(
  rows: readonly ReinforcedRow[],
  { teacher, parts, padId, packing, mostPositions }: ReinforceBatchOptions,
): StepBatches {
  const restrict = (row: TokenSequence) => teacher?.restrict?.(row) ?? row;
  const sequences = rows.map(({ sequence }) => restrict(sequence));
  return splitIntoBatches(sequences, [], parts, padId, { packing, mostPositions });
}

export interface ReinforceScoring {
  readonly teacher: Teacher | undefined;
  readonly reference: Teacher | undefined;
  readonly signals: ReinforceSignals;
  /** For this optimizer step. */
  readonly random: Random;
}

/** Asks teacher and reference about every micro-batch, and adds what is known from the sampling. */
export async function scoreReinforced(
  { parts }: StepBatches,
  rows: readonly ReinforcedRow[],
  { teacher, reference, signals, random }: ReinforceScoring,
): Promise<ScoredBatches> {
  const scored: MicroBatch[] = [];
  const dispose = () => {
    for (const part of scored) {
      part.teacher?.dispose?.();
      part.reference?.dispose?.();
      part.rollouts?.dispose?.();
    }
  };
  try {
    for (const part of parts) {
      const { batch, firstRow } = part;
      const context = { random, firstRow };
      const score = async (
        model: Teacher | undefined,
        asked: ReinforceSignals["teacher"],
      ): Promise<TeacherScores | undefined> =>
        asked.length === 0 ? undefined : await model?.score(batch, asked, context);
      const ofTeacher = await score(teacher, signals.teacher);
      scored.push({ ...part, ...(ofTeacher && { teacher: ofTeacher }) });
      const ofReference = await score(reference, signals.reference);
      const own = rows.slice(firstRow, firstRow + batch.sequences.length);
      scored[scored.length - 1] = {
        ...(scored.at(-1) as MicroBatch),
        ...(ofReference && { reference: ofReference }),
        rollouts: sampledInputs(batch, own),
        written: writtenTokens(own),
      };
    }
  } catch (error) {
    dispose();
    throw error;
  }
  return { parts: scored, [Symbol.dispose]: dispose };
}

function writtenTokens(rows: readonly ReinforcedRow[]): WrittenTokens {
  const chosen = rowChoices.map((choice) => [choice, rows.map((row) => row.chosen[choice])]);
  return {
    own: rows.map(({ sampled }) => sampled.own),
    chosen: Object.fromEntries(chosen) as Record<RowChoice, boolean[]>,
    isLeftOut: rows.map(({ isLeftOut }) => isLeftOut),
  };
}

/** Old log-probabilities and advantages of the student's tokens, and the advantages of the others. */
function sampledInputs(batch: MicroBatch["batch"], rows: readonly ReinforcedRow[]): KnownRollouts {
  const ofTokens = (value: (row: ReinforcedRow, t: number) => number) =>
    placeCompletions(
      batch,
      rows.map((row) => row.advantages.map((_, t) => value(row, t))),
    );
  const isOwn = ({ sampled }: ReinforcedRow, t: number) => sampled.own[t] === 1;
  const known = new HostValues(() => ({
    oldTokenLogProbs: ofTokens(({ sampled }, t) => sampled.tokenLogProbs[t] ?? 0),
    advantages: ofTokens((row, t) => (isOwn(row, t) ? (row.advantages[t] as number) : 0)),
    guidedAdvantages: ofTokens((row, t) => (isOwn(row, t) ? 0 : (row.advantages[t] as number))),
  }));
  return {
    inputs: () => known.tensors(),
    source: () => ({ by: sampledInputs, how: "", reads: known.reads() }),
    dispose: () => known.dispose(),
  };
}
