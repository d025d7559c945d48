import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { type Batch, makeBatch } from "../../src/data/index.js";
import {
  type Decoder,
  decoderFromTensors,
  decoderToTensors,
  decodeSafetensors,
  encodeSafetensors,
  initializeDecoder,
  modelConfigSchema,
  type TensorValues,
} from "../../src/models/index.js";
import { keepTensor, Random } from "../../src/tensors/index.js";
import { modelOptions, type ScenarioName, scenarios } from "../scenarios.js";

const idsName = "bench.ids";
const teacherName = "bench.teacherLogits";

/**
 * Everything that a step reads, so that all contestants compute the same numbers: the student's
 * weights, token ids `[B, T + 1]` (as floats) and the teacher's logits `[B, T, V]`, which stand for
 * a teacher that has been run before. Safetensors.
 */
export async function writeScenario(name: ScenarioName, folder: string): Promise<string> {
  const { batchSize, sequenceLength, vocabSize } = scenarios[name];
  using model = initializeDecoder(modelConfigSchema.parse(modelOptions(name)), new Random(1));
  const tensors = new Map<string, TensorValues>(await decoderToTensors(model));
  const random = new Random(2);
  const ids = Float32Array.from({ length: batchSize * (sequenceLength + 1) }, () =>
    random.integer(vocabSize),
  );
  tensors.set(idsName, { shape: [batchSize, sequenceLength + 1], data: ids });
  const shape = [batchSize, sequenceLength, vocabSize];
  const logits = new Float32Array(batchSize * sequenceLength * vocabSize);
  for (let i = 0; i < logits.length; i++) logits[i] = 6 * random.uniform() - 3;
  tensors.set(teacherName, { shape, data: logits });
  const file = resolve(folder, `${name}.safetensors`);
  writeFileSync(file, encodeSafetensors(tensors, { dtype: "float32" }));
  return file;
}

/** A scenario on the device. Owns its tensors. */
export interface LoadedScenario extends Disposable {
  readonly student: Decoder;
  readonly batch: Batch;
  readonly teacherLogits: tf.Tensor3D;
}

export async function readScenario(name: ScenarioName, file: string): Promise<LoadedScenario> {
  const tensors: Map<string, TensorValues> = decodeSafetensors(await readFile(file), file);
  const { data: logits } = tensors.get(teacherName) as TensorValues;
  const { data: ids } = tensors.get(idsName) as TensorValues;
  tensors.delete(teacherName);
  tensors.delete(idsName);
  const config = modelConfigSchema.parse(modelOptions(name));
  const student = decoderFromTensors(config, tensors, file);
  const { batchSize, sequenceLength, vocabSize } = scenarios[name];
  const width = sequenceLength + 1;
  const rows = Array.from({ length: batchSize }, (_, row) => ({
    ids: [...ids.subarray(row * width, (row + 1) * width)],
    completionStart: 1,
  }));
  const batch = makeBatch(rows, 0);
  const teacherLogits = keepTensor(tf.tensor3d(logits, [batchSize, sequenceLength, vocabSize]));
  const dispose = () => {
    student.dispose();
    batch.dispose();
    teacherLogits.dispose();
  };
  return { student, batch, teacherLogits, [Symbol.dispose]: dispose };
}
