import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../../errors/index.js";
import { createVariable } from "../../tensors/index.js";
import { type CheckpointReader, decoderToTensors, loadDecoder } from "../checkpoints/checkpoint.js";
import type { ModelConfig } from "../decoder/config.js";
import { readTensors } from "../checkpoints/read-tensors.js";
import type { TensorValues } from "../checkpoints/safetensors.js";
import type { HeadConfig } from "./head-config.js";
import { bodyConfig, scoreName, SequenceModel } from "./sequence-model.js";

/**
 * A sequence model with the weights of a Hugging Face checkpoint (`LlamaForSequenceClassification` and
 * its like).
 *
 * @param source how errors call the checkpoint, such as its path
 * @throws PupilError that lists missing and unexpected tensors and wrong shapes by name
 */
export async function loadSequenceModel(
  config: ModelConfig,
  head: HeadConfig,
  reader: CheckpointReader,
  source: string,
): Promise<SequenceModel> {
  const entry = reader.entries.get(scoreName);
  const shape = [head.numLabels, config.hiddenSize] as const;
  if (entry?.shape.join() !== shape.join()) {
    const found = entry ? `is [${entry.shape.join(", ")}]` : "is missing";
    throw new PupilError(`The head ${scoreName} ${found}, expected [${shape.join(", ")}].`, {
      field: source,
      value: entry?.shape,
      remedy: entry
        ? "Use the config.json that belongs to these weights (num_labels, id2label)."
        : "It is a model without such a head; withHead puts a fresh one on a language model.",
    });
  }
  const entries = new Map([...reader.entries].filter(([name]) => name !== scoreName));
  const values = await reader.read(scoreName);
  const body = await loadDecoder(bodyConfig(config), { ...reader, entries }, source);
  const score = createVariable(tf.tensor2d(values, [...shape], "float32"));
  return new SequenceModel(config, head, body, score);
}

/** The parameters on the host; where an adapter is active, with what it adds to them. */
export async function sequenceModelToTensors({
  body,
  score,
}: SequenceModel): Promise<Map<string, TensorValues>> {
  const [ofBody, ofHead] = await Promise.all([
    decoderToTensors(body),
    readTensors(new Map([[scoreName, score]])),
  ]);
  return new Map([...ofBody, ...ofHead]);
}
