import * as tf from "@tensorflow/tfjs-core";
import { keepTensor } from "../tensors/index.js";

type Watch =
  | { readonly mode: "record"; readonly seen: tf.Tensor[] }
  | { readonly mode: "replay"; readonly given: readonly tf.Tensor[]; next: number };

let watch: Watch | undefined;

/**
 * The same values with a gradient of 0: what a formula calls sg(x), such as a weight that depends on
 * the student without being trained. The gradient checks know what passes through here, so that
 * they hold such a loss to the formula and not to the derivative of its value.
 *
 * @param x with the rows of the batch as its first axis
 */
export function stopGradient<T extends tf.Tensor>(x: T): T {
  if (watch?.mode === "replay") return (watch.given[watch.next++] as T).clone();
  // A function without inputs is off the tape, so nothing before x needs a gradient either.
  const stopped = tf.customGrad(() => ({ value: x.clone(), gradFunc: () => [] }))() as T;
  if (watch?.mode === "record") watch.seen.push(keepTensor(stopped.clone()));
  return stopped;
}

/**
 * Runs `f` and collects all that passes through {@link stopGradient}, in order; the caller disposes
 * what it gets. For checks.
 */
export function recordStopped(f: () => void): tf.Tensor[] {
  const seen: tf.Tensor[] = [];
  watching({ mode: "record", seen }, f);
  return seen;
}

/** Runs `f` with the given tensors in place of what would pass through {@link stopGradient}. */
export function replayStopped<T>(given: readonly tf.Tensor[], f: () => T): T {
  return watching({ mode: "replay", given, next: 0 }, f);
}

function watching<T>(mode: Watch, f: () => T): T {
  watch = mode;
  try {
    return f();
  } finally {
    watch = undefined;
  }
}
