import type { LayerRequest } from "../../models/index.js";
import type { Rollout } from "../../rollouts/index.js";
import type { Teacher, TeacherSignal } from "../../teachers/index.js";
import type { Random } from "../../tensors/index.js";
import type { StepBatches } from "./micro-batches.js";
import { rolloutInputs } from "./rollout-inputs.js";
import type { MicroBatch } from "./micro-batch.js";

/** The micro-batches of a step with what their teacher says. Owns the scores. */
export interface ScoredBatches extends Disposable {
  readonly parts: readonly MicroBatch[];
}

export interface ScoreOptions {
  readonly signals: readonly TeacherSignal[];
  /** Layers of the teacher, where the signals are states of some. */
  readonly layers?: LayerRequest | undefined;
  /** For this optimizer step. */
  readonly random: Random;
  /** Of the step's first rows, where a loss reads what is known from their sampling. */
  readonly rollouts?: readonly Rollout[];
  /** See {@link rolloutInputs}. */
  readonly advantageDiscount?: number;
}

/** Asks the teacher, if there is one, about every micro-batch of a step, in turn. */
export async function scoreBatches(
  { parts }: StepBatches,
  teacher: Teacher | undefined,
  { signals, layers, random, rollouts, advantageDiscount = 0 }: ScoreOptions,
): Promise<ScoredBatches> {
  const scored: MicroBatch[] = [];
  const dispose = () => {
    for (const part of scored) part.teacher?.dispose?.();
  };
  try {
    for (const part of parts) {
      const { batch, firstRow, onPolicyRows } = part;
      const scores = await teacher?.score(batch, signals, {
        ...{ random, firstRow },
        ...(layers && { layers }),
      });
      const own = rollouts?.slice(firstRow, firstRow + onPolicyRows);
      const sampled: Pick<MicroBatch, "rollouts"> =
        own === undefined
          ? {}
          : { rollouts: (tensors) => rolloutInputs(batch, own, tensors, advantageDiscount) };
      scored.push({ ...part, ...(scores && { teacher: scores }), ...sampled });
    }
  } catch (error) {
    dispose();
    throw error;
  }
  return { parts: scored, [Symbol.dispose]: dispose };
}
