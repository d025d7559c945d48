import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../../errors/index.js";
import { readTensors } from "./read-tensors.js";
import type { TensorValues } from "./safetensors.js";

/** Tensors that are learned beside a student's own, by name, as a checkpoint holds them. */
export interface VariableState {
  read(): Promise<Map<string, TensorValues>>;
  /** @throws PupilError if a tensor is missing or has another shape */
  restore(tensors: ReadonlyMap<string, TensorValues>): void;
}

/**
 * Reads and restores variables.
 *
 * @param owner what they belong to, for the error: `average`
 */
export function variableState(
  variables: ReadonlyMap<string, tf.Variable>,
  owner: string,
): VariableState {
  return {
    read: () => readTensors(variables),
    restore: (tensors) => {
      for (const [name, variable] of variables) {
        const saved = tensors.get(name);
        if (saved === undefined || saved.shape.join() !== variable.shape.join()) {
          throw new PupilError(`The saved ${owner} has no ${name} of this shape.`, {
            field: name,
            value: saved?.shape,
            remedy: "Resume from a checkpoint of the same run.",
          });
        }
        tf.tidy(() => variable.assign(tf.tensor(saved.data, variable.shape)));
      }
    },
  };
}
