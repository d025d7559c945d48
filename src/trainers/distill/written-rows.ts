import type { TokenSequence } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import type { Replay, Rollout, WrittenRow } from "../../rollouts/index.js";
import type { Random } from "../../tensors/index.js";
import type { StepMetrics } from "../step/metrics.js";

/** A replay in a training, with what its threshold goes by. */
export interface TrainingReplay {
  readonly replay: Replay;
  /** Of the student as it is now, on rows that are not trained on, in nats per token. */
  validationLoss(): Promise<number>;
}

/** The rows of a step that the student wrote. */
export interface StepRows {
  readonly written: readonly WrittenRow[];
  /** Those among them that it wrote in this step. */
  readonly fresh: readonly Rollout[];
  readonly metrics: Pick<StepMetrics, "replay">;
}

/** Has the student complete prompts of rows. */
export type Write = (rows: readonly TokenSequence[]) => Promise<Rollout[]>;

/** The first `count` rows of a step are written by the student. */
export async function writtenRows(
  rows: readonly TokenSequence[],
  count: number,
  write: Write,
): Promise<StepRows> {
  const sources = rows.slice(0, count);
  const fresh = await write(sources);
  return { written: fresh.map(withSource(sources)), fresh, metrics: {} };
}

/** All rows of a step are the student's or none is, as the replay has it. */
export async function replayedRows(
  rows: readonly TokenSequence[],
  { step, steps }: { readonly step: number; readonly steps: number },
  { replay, validationLoss }: TrainingReplay,
  { random, write }: { readonly random: Random; readonly write: Write },
): Promise<StepRows> {
  const loss = step % replay.options.every === 0 ? await validationLoss() : undefined;
  if (loss !== undefined) replay.observe(loss);
  const choice = replay.choose(step / steps, random.stream("choice"));
  const fresh = choice === "written" ? await write(rows) : [];
  const before = choice === "replayed" ? replay.draw(rows.length, random.stream("draw")) : [];
  replay.add(fresh.map(withSource(rows)));
  const { threshold, rows: kept } = replay.state();
  const counts = { written: fresh.length, replayed: before.length, kept: kept.length };
  return {
    written: [...fresh.map(withSource(rows)), ...before],
    fresh,
    metrics: {
      replay: { threshold, ...counts, ...(loss === undefined ? {} : { validationLoss: loss }) },
    },
  };
}

const withSource =
  (sources: readonly TokenSequence[]) =>
  (rollout: Rollout, i: number): WrittenRow =>
    ({ rollout, source: sources[i] }) as WrittenRow;

/** Stands for a share that only the run shows: a replay gives rows of the data and of the student. */
export const replayedFraction = 0.5;

/** @throws PupilError for a buffer that has not the rows of a step, or with a share of rows beside it */
export function checkReplay(
  { options: { capacity } }: Pick<Replay, "options">,
  { batchSize, onPolicyFraction }: { batchSize: number; onPolicyFraction: number },
): void {
  if (capacity < batchSize) {
    throw new PupilError("keeps fewer rows than a step has.", {
      field: "trainer.replay.capacity",
      value: capacity,
      remedy: `Set it to ${batchSize} (trainer.batchSize) or more.`,
    });
  }
  if (onPolicyFraction !== 1) {
    throw new PupilError("has no effect with a replay, which says itself whose rows a step has.", {
      field: "trainer.onPolicyFraction",
      value: onPolicyFraction,
      remedy: "Leave it out, or leave trainer.replay out.",
    });
  }
}
