import type * as tf from "@tensorflow/tfjs-core";
import { holdAsHalves, holdsHalves } from "../../tensors/index.js";
import type { ModelConfig } from "./config.js";
import { decoderLayout, parameterSpecs } from "./layout.js";
import type { LanguageModel } from "./types.js";

/**
 * Says of a model that nothing will change its weights again, such as a teacher's: on a backend that was started for it
 * (`startBackend("webgpu", { halfTeachers: true })`) its matrices are then held as binary16, in half the memory, each number rounded to
 * the nearest. Norms, biases and adapters stay as they are, and all arithmetic is float32's. On every other backend nothing happens.
 *
 * @param source of the model, for errors
 * @returns whether they are held so
 * @throws PupilError if a weight is beyond ±65,504, which only a model in bfloat16 or float32 can have; the model is of no use then
 */
export async function freezeModel(
  model: Pick<LanguageModel, "parameters" | "headWeight">,
  source: string,
): Promise<boolean> {
  const { parameters, headWeight } = model;
  const named = new Map<string, tf.Tensor>(
    [...parameters].filter(([, parameter]) => parameter.rank === 2),
  );
  // A head that was cut to a student's vocabulary is none of the parameters.
  const isParameter = [...named.values()].some(({ dataId }) => dataId === headWeight?.dataId);
  if (headWeight !== undefined && !isParameter) named.set("the head", headWeight);
  return holdAsHalves(named, source);
}

/** Bytes of a frozen model's weights on the current backend, see {@link freezeModel}. */
export function frozenBytes(config: ModelConfig): number {
  const sizes = parameterSpecs(decoderLayout(config)).map(({ shape }) => {
    const bytes = shape.length === 2 && holdsHalves() ? 2 : 4;
    return bytes * shape.reduce((a, b) => a * b, 1);
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}
