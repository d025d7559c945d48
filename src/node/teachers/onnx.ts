import { readdir } from "node:fs/promises";
import { olderForms, type Tokenizer, tokenizerFromJson } from "../../data/index.js";
import { endIdsOf, generationEndIds } from "../../folders/index.js";
import {
  onnxTeacher,
  openOnnxDecoder,
  type TeacherConfig,
  withRows,
} from "../../teachers/index.js";
import { diskFolder } from "../files/disk-folder.js";
import { loadTokenizer } from "../models/load-tokenizer.js";
import { findHubJson, hubJson, openOnnxSession } from "../onnx/index.js";
import { loadTransformers } from "../optional-packages.js";
import { fittedSize, type LoadedTeacher } from "./loaded-teacher.js";

type OnnxTeacherConfig = Extract<TeacherConfig, { type: "onnx" }>;

type Json = Readonly<Record<string, unknown>>;

/** Keys of a `config.json` that hold the longest sequence. */
const lengthKeys = ["max_position_embeddings", "n_positions", "n_ctx"];

/** An ONNX model as teacher, run by transformers.js. */
export async function loadOnnxTeacher(config: OnnxTeacherConfig): Promise<LoadedTeacher> {
  const { from, topK, samples, sampleTemperature } = config;
  const { session, config: modelConfig, isLocal, files } = await openOnnxSession(config);
  try {
    const decoder = await openOnnxDecoder(session, from);
    const tokenizer = await (isLocal
      ? localTokenizer(from, modelConfig)
      : hubTokenizer(config, modelConfig));
    const length = lengthKeys.map((key) => modelConfig[key]).find((x) => typeof x === "number");
    const maxPositions = length as number | undefined;
    const options = { topK, samples, sampleTemperature, maxPositions };
    const notes = [
      `Teacher: ONNX model of ${decoder.vocabSize} tokens from ${from}, ${config.device}.`,
    ];
    return {
      ...(tokenizer && { tokenizer }),
      ...(maxPositions === undefined ? {} : { maxPositions }),
      ...(files === undefined ? {} : { weights: files }),
      notes,
      connect: async (run) => {
        const vocabSize = fittedSize(decoder.vocabSize, run, notes);
        return onnxTeacher(withRows(decoder, vocabSize), from, options);
      },
      dispose: () => decoder.dispose(),
    };
  } catch (error) {
    session.release();
    throw error;
  }
}

/** A model without a tokenizer is taken to have the run's. */
async function localTokenizer(folder: string, modelConfig: Json): Promise<Tokenizer | undefined> {
  const names = await readdir(folder);
  const forms = [["tokenizer.json"], ...olderForms.map(({ files }) => files)];
  if (!forms.some((files) => files.every((name) => names.includes(name)))) return undefined;
  const endIds = [endIdsOf(modelConfig, folder), await generationEndIds(diskFolder(folder))];
  return loadTokenizer(folder, longest(endIds));
}

async function hubTokenizer(config: OnnxTeacherConfig, modelConfig: Json): Promise<Tokenizer> {
  const hub = await loadTransformers();
  const [json, tokenizerConfig, generationConfig] = await Promise.all([
    hubJson(hub, config, "tokenizer.json"),
    findHubJson(hub, config, "tokenizer_config.json"),
    findHubJson(hub, config, "generation_config.json"),
  ]);
  const { from } = config;
  const options = { ...(tokenizerConfig && { config: tokenizerConfig }) };
  const tokenizer = await tokenizerFromJson(json, `${from}: tokenizer.json`, options);
  const endIds = longest([endIdsOf(modelConfig, from), endIdsOf(generationConfig, from)]);
  if (endIds.length <= tokenizer.endIds.length) return tokenizer;
  return tokenizerFromJson(json, `${from}: tokenizer.json`, { ...options, endIds });
}

/** A file that names more end ids knows more than one that names fewer. */
const longest = (lists: readonly (readonly number[])[]) =>
  lists.reduce((most, list) => (list.length > most.length ? list : most), []);
