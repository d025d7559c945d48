import type { LayerRequest } from "../../models/index.js";
import type { Rollout } from "../../rollouts/index.js";
import type { Teacher, TeacherSignal } from "../../teachers/index.js";
import type { Random } from "../../tensors/index.js";
import type { StepBatches } from "./micro-batches.js";
import { knownRollouts } from "./rollout-inputs.js";
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
  /** See {@link knownRollouts}. */
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
    for (const part of scored) {
      part.teacher?.dispose?.();
      part.rollouts?.dispose?.();
    }
  };
  try {
    for (const part of parts) {
      const { batch, firstRow, onPolicyRows } = part;
      const scores = await teacher?.score(batch, signals, {
        ...{ random, firstRow },
        ...(layers && { layers }),
      });
      const own = rollouts?.slice(firstRow, firstRow + onPolicyRows);
      const known = own && knownRollouts(batch, own, advantageDiscount);
      scored.push({
        ...part,
        ...(scores && { teacher: scores }),
        ...(known && { rollouts: known }),
      });
    }
  } catch (error) {
    dispose();
    throw error;
  }
  return { parts: scored, [Symbol.dispose]: dispose };
}
