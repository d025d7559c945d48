import { contextLength, freezeModel, withVocabulary } from "../../models/index.js";
import { modelTeacher, type TeacherConfig } from "../../teachers/index.js";
import { freezeLoaded } from "../models/freeze-loaded.js";
import { weightsFiles } from "../models/weights-files.js";
import { findModelFolder } from "../models/find-model.js";
import { describeUnused, loadModelFolder, readModelOutline } from "../models/model-folder.js";
import { fittedSize, type LoadedTeacher } from "./loaded-teacher.js";

type ModelTeacherConfig = Extract<TeacherConfig, { type?: "model" | undefined }>;

/** A model folder as teacher, in this process. */
export async function loadModelTeacher(config: ModelTeacherConfig): Promise<LoadedTeacher> {
  const { type: _type, from, prompt: _prompt, ...options } = config;
  const folder = await findModelFolder(from);
  const loaded = await loadModelFolder(folder);
  const { model, tokenizer } = loaded;
  const isHalf = await freezeLoaded(model, from);
  const parameters = model.numParameters.toLocaleString("en-US");
  const notes = [
    `Teacher: ${parameters} parameters from ${from}${isHalf ? ", its matrices in 16 bits" : ""}.`,
    ...describeUnused(loaded, from),
  ];
  return {
    tokenizer,
    maxPositions: contextLength(model.config),
    weights: await weightsFiles(folder),
    notes,
    connect: async (run) => {
      const vocabSize = fittedSize(model.config.vocabSize, run, notes);
      const fitted = withVocabulary(model, vocabSize);
      // Its head is a copy then.
      if (fitted !== model) await freezeModel(fitted, from);
      return modelTeacher(fitted, from, options);
    },
    dispose: () => model.dispose(),
  };
}

/** What is known of it before its weights are loaded. */
export async function readModelTeacher({ from }: ModelTeacherConfig): Promise<LoadedTeacher> {
  return {
    ...(await readModelOutline(await findModelFolder(from))),
    notes: [],
    connect: () => Promise.reject(new Error("The weights of this teacher are not loaded.")),
    dispose: () => undefined,
  };
}
