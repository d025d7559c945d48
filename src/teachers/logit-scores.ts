import * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "../data/index.js";
import { HostValues } from "../tensors/index.js";
import { type DistributionOptions, drawNumbers, signalsFromLogits } from "./logit-signals.js";
import { joinedSource } from "./score-source.js";
import type { ScoreContext, TeacherScores, TeacherSignal } from "./teacher.js";

/** Logits `[B, T, V]` of a batch, and what they are made of. */
export interface LogitsOfBatch extends Pick<TeacherScores, "source" | "dispose"> {
  /** Called inside the step's memory scope. */
  logits(): tf.Tensor3D;
}

/** Logits that are values of the host. */
export function hostLogits(make: () => tf.Tensor3D): LogitsOfBatch {
  const values = new HostValues(() => ({ logits: make() }));
  return {
    logits: () => values.tensors().logits,
    source: () => ({ by: hostLogits, how: "", reads: [values.hold().logits] }),
    dispose: () => values.dispose(),
  };
}

/** What a teacher that has logits says of what it is asked for. */
export function logitScores(
  given: LogitsOfBatch,
  batch: Batch,
  needs: readonly TeacherSignal[],
  options: DistributionOptions,
  context: ScoreContext | undefined,
): TeacherScores {
  const numbers = drawNumbers(batch, needs, options, context);
  return {
    tensors: () => tf.tidy(() => signalsFromLogits(given.logits(), batch, needs, options, numbers)),
    source: () => joinedSource(JSON.stringify([needs, options]), [given], numbers.reads()),
    dispose: () => {
      numbers.dispose();
      given.dispose?.();
    },
  };
}
