import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type Tokenizer, tokenizerFromJson } from "../../data/index.js";
import { onnxTeacher, openOnnxDecoder, type TeacherConfig } from "../../teachers/index.js";
import { loadTokenizer } from "../model-folder.js";
import { hubJson, openOnnxSession } from "../onnx/index.js";
import type { LoadedTeacher } from "./loaded-teacher.js";

type OnnxTeacherConfig = Extract<TeacherConfig, { type: "onnx" }>;

/** Keys of a `config.json` that hold the longest sequence. */
const lengthKeys = ["max_position_embeddings", "n_positions", "n_ctx"];

/** An ONNX model as teacher, run by transformers.js. */
export async function loadOnnxTeacher(config: OnnxTeacherConfig): Promise<LoadedTeacher> {
  const { from, topK, samples, sampleTemperature } = config;
  const { session, config: modelConfig, isLocal } = await openOnnxSession(config);
  try {
    const decoder = await openOnnxDecoder(session, from);
    const tokenizer = await (isLocal ? localTokenizer(from) : hubTokenizer(config));
    const length = lengthKeys.map((key) => modelConfig[key]).find((x) => typeof x === "number");
    const maxPositions = length as number | undefined;
    const options = { topK, samples, sampleTemperature, maxPositions };
    return {
      ...(tokenizer && { tokenizer }),
      ...(maxPositions === undefined ? {} : { maxPositions }),
      notes: [`Teacher: ONNX model of ${decoder.vocabSize} tokens from ${from}, ${config.device}.`],
      connect: async () => onnxTeacher(decoder, from, options),
      dispose: () => decoder.dispose(),
    };
  } catch (error) {
    session.release();
    throw error;
  }
}

/** A model without a tokenizer is taken to have the run's. */
async function localTokenizer(folder: string): Promise<Tokenizer | undefined> {
  const hasOne = await stat(join(folder, "tokenizer.json")).then(
    () => true,
    () => false,
  );
  return hasOne ? loadTokenizer(folder) : undefined;
}

async function hubTokenizer(config: OnnxTeacherConfig): Promise<Tokenizer> {
  const hub = await import("@xenova/transformers");
  const [json, tokenizerConfig] = await Promise.all([
    hubJson(hub, config, "tokenizer.json"),
    hubJson(hub, config, "tokenizer_config.json"),
  ]);
  return tokenizerFromJson(json, `${config.from}: tokenizer.json`, { config: tokenizerConfig });
}
