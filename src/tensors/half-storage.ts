import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../errors/index.js";

/** A backend that can hold tensors in half their bytes, as binary16, and computes with them in float32. */
export interface HalfHoldingBackend {
  /** Whether frozen weights are to be held so. */
  readonly holdsHalves: boolean;
  /** Rounds tensors in place; the largest magnitude that each had, 0 of one that was held so already. */
  holdAsHalves(tensors: readonly tf.Tensor[]): Promise<Float32Array>;
}

/** The largest number of binary16. */
const most = 65504;

/** Whether the current backend was started to hold frozen weights as binary16. */
export function holdsHalves(): boolean {
  return (tf.backend() as Partial<HalfHoldingBackend>).holdsHalves === true;
}

/**
 * Rounds tensors that nobody trains to binary16 (to the nearest, ties to even) and holds them so where the current backend was
 * started for that (`halfTeachers` on WebGPU); on every other they stay as they are. They stay tensors of float32 for whoever
 * uses them.
 *
 * @param named by what an error calls them
 * @param source what they belong to, for the error
 * @returns whether they are held so
 * @throws PupilError if one has a number beyond ±65,504 or none that is finite; what was given is of no use then
 */
export async function holdAsHalves(
  named: ReadonlyMap<string, tf.Tensor>,
  source: string,
): Promise<boolean> {
  if (!holdsHalves()) return false;
  const backend = tf.backend() as unknown as HalfHoldingBackend;
  const largest = await backend.holdAsHalves([...named.values()]);
  for (const [i, name] of [...named.keys()].entries()) {
    const found = largest[i] as number;
    if (found <= most) continue;
    throw new PupilError(
      `${name} has a number of magnitude ${found}, and one of 16 bits is at most ${most}.`,
      {
        field: source,
        value: found,
        remedy:
          "Start without PUPIL_WEBGPU_HALF_TEACHERS=1 (halfTeachers: true): weights are held in 32 bits then.",
      },
    );
  }
  return true;
}
